"""The queue of e-mails, and SMTP."""
