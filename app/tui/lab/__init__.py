"""One question to several models, on one screen: compared, or in a debate."""
