"""What the rule `answer_from_rollup` is made of: blocks, literals, grains, measures, merging, matching, rewriting."""
