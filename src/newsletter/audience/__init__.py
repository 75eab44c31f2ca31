"""Who may receive: subscribers, the CSV list, selection, tokens. Nothing here sends."""
