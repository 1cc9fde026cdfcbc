"""The machinery of the rule `read_from_prejoin`: reading stars, folding joined tables in, sharing tables."""
