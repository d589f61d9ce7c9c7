"""A worker process as the face sees it: started, written to, listened to, mourned."""
