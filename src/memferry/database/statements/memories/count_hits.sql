-- In how many of the caller's rows a query of keys finds something: few exactly, many as an estimate.
SELECT count_hits($1::text::tsquery)
