"""Next month's queries: the literals of a workload moved by a fixed procedure, everything else byte for byte as it was.

sites    where a literal is compared, and with what: the subject, followed through aliases and CTEs to base columns
domains  what the columns of those subjects hold
kinds    which sites may move, and how
dates    moving dates, values: moving everything else
shift    half of a workload's groups moved, by seed
"""
