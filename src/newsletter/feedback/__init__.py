"""What comes back: bounces, complaints, auto-replies and unsubscribe requests, read and acted upon. Knows no SQL."""
