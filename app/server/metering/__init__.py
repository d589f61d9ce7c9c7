"""What each asker uses: counted where answers are made, kept for quotas and limits."""
