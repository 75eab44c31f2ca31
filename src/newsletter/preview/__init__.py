"""The live preview: one page on this machine that shows an issue as each reader will get it.

It renders nothing of its own: every view is cut out of the bytes that `send` would hand to the
    relay. It is not a web server for others: 127.0.0.1 only, one token per run, no request to
    anywhere else.
"""
