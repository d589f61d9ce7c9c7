"""What stands before every route: who asks, from where, how much, whether the request is sound; and how it refuses."""
