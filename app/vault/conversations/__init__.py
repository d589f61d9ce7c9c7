"""Conversations: sessions, their messages, and finding both."""
