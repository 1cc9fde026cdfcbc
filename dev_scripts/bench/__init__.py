"""Measures the advisor from outside: `make bench-advisor WORKLOAD=… ROWS=…`, or `python -m dev_scripts.bench`.

workloads   names → a workload's JSON and its lake folder, made once and kept below var/bench
service     a real server: submit, wait, fetch the answer and its download
sides       both sides written by one writer: base tables, the answer's design, and the baselines
timing      a query in a process of its own, before and after interleaved
figures     x, ΣQA/ΣQT, y, z in both readings and three weightings
literals    the same queries with other dates, thresholds and lists; the design frozen
"""
