"""The outbox of e-mails, and SMTP."""
