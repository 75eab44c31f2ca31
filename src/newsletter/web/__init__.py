"""The public endpoint: subscribe, confirm, unsubscribe, preferences, and one's own issue in the browser.

Pages without scripts and without cookies. GET and HEAD never change anything; what POST changes goes through one
thread and is on disk before the answer leaves. It speaks HTTP for a proxy to stand in front of, and sends one kind of
mail, the one that asks for a confirmation.
"""
