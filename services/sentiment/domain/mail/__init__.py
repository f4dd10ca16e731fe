"""Read e-mails as their author wrote them: without markup, quoted messages, signatures and disclaimers."""
