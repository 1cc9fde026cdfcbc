"""Mutation check of the verification: wrong rewrites of many kinds, and our own guards switched off one by one.

`python -m dev_scripts.mutants --help`; `make mutants` runs it on the samples of the repository.
"""
