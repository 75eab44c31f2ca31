"""Circuit breakers: signs that the whole run is wrong, so that it stops before it does harm."""

from __future__ import annotations

import re
from collections import Counter

from newsletter.delivery.states import State
from newsletter.delivery.verdicts import Suspicion, Verdict
from newsletter.errors import NewsletterError, RelayError, RelayRefused
from newsletter.mail.reply import Reply
from newsletter.transport.exchange import ConnectFailed, Event, Stage

SAME_REFUSALS = 3
MAX_IN_DOUBT = 20
HARD_SHARE = 0.05
HARD_AFTER = 200

_ADVICE = {
    Stage.TLS: "check the host name and its certificate; for a relay you trust without TLS say ?tls=none",
    Stage.AUTH: "check the user in the relay URL and NEWSLETTER_RELAY_PASSWORD",
    Stage.GREETING: "ask the relay's operator why",
}


class Breakers:
    """Counts what verdicts say about the run as a whole."""

    def __init__(self) -> None:
        self._same: Counter[tuple[Suspicion, str]] = Counter()
        self._states: Counter[State] = Counter()
        self._hard = 0

    def notice(self, verdict: Verdict, event: Event) -> NewsletterError | None:
        """Count a verdict; an error means that the run must stop."""
        self._states[verdict.state] += 1
        if verdict.suspicion is not Suspicion.NONE and isinstance(event, Reply):
            key = (verdict.suspicion, _gist(event))
            self._same[key] += 1
            if self._same[key] >= SAME_REFUSALS:
                return RelayRefused(
                    f"stopped: the relay refused the {verdict.suspicion} of {SAME_REFUSALS} messages with"
                    f" the same words: {event}; mend it, then run the same command again"
                )
        if verdict.state is State.IN_DOUBT and self._states[State.IN_DOUBT] > MAX_IN_DOUBT:
            return RelayError(
                f"stopped: the fate of more than {MAX_IN_DOUBT} messages is unknown, the connection to the"
                " relay cannot be trusted; look at `newsletter status`, then run the same command again"
            )
        return self._hard_failures(verdict)

    def _hard_failures(self, verdict: Verdict) -> NewsletterError | None:
        self._hard += verdict.suppress
        settled = self._states[State.ACCEPTED] + self._states[State.FAILED]
        if settled < HARD_AFTER or self._hard <= HARD_SHARE * settled:
            return None
        return RelayRefused(
            f"stopped: {self._hard} of {settled} addresses do not exist; a list this old harms the sender's"
            " name. Clean the list, then run the same command again"
        )

    @staticmethod
    def refused(failure: ConnectFailed) -> NewsletterError:
        """The relay turned the connection down for good."""
        advice = _ADVICE.get(failure.stage, "check the relay URL")
        return RelayRefused(
            f"the relay refused us ({failure.stage}): {failure.event}; nothing was sent on this connection."
            f" {advice[0].upper()}{advice[1:]}, then run the same command again"
        )

    @staticmethod
    def away(failure: ConnectFailed) -> NewsletterError:
        """The relay cannot be reached now."""
        return RelayError(
            f"the relay cannot be reached ({failure.stage}): {failure.event}; nothing is lost,"
            " run the same command again later"
        )


def _gist(reply: Reply) -> str:
    """The words that are the same for every message: no addresses, session ids, times or links."""
    words = re.sub(r"\S*[\d@/]\S*", " ", reply.text)
    return " ".join([str(reply.code), reply.enhanced or "", *words.split()])
