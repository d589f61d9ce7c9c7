"""The keys of a vault, wrapped: by a passphrase, a recovery key, the system's keyring, or a file."""
