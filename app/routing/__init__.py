"""Which backend answers, and what happens when it does not: failover, retries, rules, cache, audit."""
