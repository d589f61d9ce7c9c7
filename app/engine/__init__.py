"""Models on this machine: found in catalogues, fetched, verified, and run in worker processes."""
