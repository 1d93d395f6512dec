"""What we may say: vetted documents, read, split and checked."""
