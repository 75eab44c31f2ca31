"""Values of RFC 5321 and RFC 5322: addresses, headers, compiled messages, replies. No input or output here."""
