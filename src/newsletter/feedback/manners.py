"""What sort of mail is it, before anybody asks what it says: a mail system's, a robot's, or a person's.

Headers first (RFC 3834 for robots), then the subject, in English and Chinese and the commonest words of others.
"""

from __future__ import annotations

import re

from newsletter.feedback.mime import Mail

_SYSTEMS = re.compile(
    r"mail(er)?[- _]?daemon|mdaemon|post-?master|mail[- _]?(delivery|system)|microsoftexchange|退信",
    re.IGNORECASE,
)
_BOUNCED = re.compile(
    r"undeliver|fail(ed|ure)? (notice|notification)|returned mail|mail (delivery )?(has )?fail"
    r"|deliver\w* (has )?(fail|error|problem|report|status|notif|impossible|unsuccess)"
    r"|(message|mail|be|not|un)[- ]?(deliver|return)ed|not deliver|message delivery|return(ed)? to sender|bounced? "
    r"|(mail|message) (error|failure|problem|delivery|bounce)|non-?deliver|rejected mail|mail rejected"
    r"|退信|退回|无法(投递|传递|送达|发送)|未(能)?(送达|投递|传递|送出)|(投递|传递|发送|递送)(失败|状态|错误)"
    r"|無法傳遞|傳遞狀態|退件|unzustellbar|non remis|échec|no entregado|mancato recapito|недоставлен",
    re.IGNORECASE,
)
_LATE = re.compile(
    r"\bdelayed\b|\bwarning\b|still being retried|not yet been|will be retried|延迟|尚未送达|已推迟",
    re.IGNORECASE,
)
_ANSWERED = re.compile(r"\s*(re|aw|sv|fwd?|回复|答复|转发|回覆|轉寄)\s*[:：]", re.IGNORECASE)
_AWAY = re.compile(
    r"\bauto(mated|matic|matisch\w*)?[- _:]*(repl(y|ies)|response|respond|antwort|answer)|\bautoreply|\bout[- ]of[- ]"
    r"(the[- ])?office|\bon (vacation|leave|holiday)|\bvacation\b|away from (my|the) (mail|office|desk)|\babwesen"
    r"|réponse automatique|absence|respuesta automática|risposta automatica|автоответ|不在(办公室|辦公室|公司)"
    r"|自动(回复|答复|应答)|自動(回覆|回復|返信|応答)|休假|外出|度假|年假|出差|离开办公室",
    re.IGNORECASE,
)
_WANTS_OUT = re.compile(
    r"\bun-?subscribe\b|\bopt[- ]?out\b|\bsignoff\b|remove me\b|take me off"
    r"|退订|退訂|(取消|停止)(订阅|訂閱)|不要再发",
    re.IGNORECASE,
)
_OTHER_REPORTS = ("disposition-notification", "tlsrpt", "dmarc")
_AGGREGATE = re.compile(r"report domain:.*submitter:", re.IGNORECASE)


def from_a_mail_system(mail: Mail) -> bool:
    """Whether a mail system sent it because of another mail."""
    if mail.report_type == "delivery-status" or mail.header.first("x-failed-recipients"):
        return True
    subject = mail.header.words("subject")
    if _SYSTEMS.search(_sender(mail)):
        return True
    # A person answers with our subject, a robot with one of its own.
    return bool(_BOUNCED.search(subject)) and not (
        _ANSWERED.match(subject) or _AWAY.search(subject)
    )


def tells_of_failure(mail: Mail) -> bool:
    """Whether its subject alone says that a mail has not arrived."""
    return bool(_BOUNCED.search(mail.header.words("subject")))


def tells_of_delay(mail: Mail) -> bool:
    """Whether its subject says that a mail may still arrive."""
    return bool(_LATE.search(mail.header.words("subject")))


def from_a_robot(mail: Mail) -> bool:
    """Whether a robot answers for a person: RFC 3834, what came before it, and its subjects."""
    header = mail.header
    submitted = header.first("auto-submitted").lower()
    return (
        (bool(submitted) and not submitted.startswith("no"))
        or bool(_AWAY.search(header.words("subject")))
        or header.first("precedence").lower() in ("auto_reply", "auto-reply")
        or bool(header.first("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply"))
        or bool(header.first("x-autoreply-from", "x-mail-autoreply", "x-qq-autoreply"))
        or header.first("x-ms-exchange-generated-message-source") == "Mailbox Rules Agent"
    )


def another_report(mail: Mail) -> bool:
    """Whether it is a report, but about no failure: a receipt (RFC 8098), TLS or DMARC statistics."""
    if _AGGREGATE.search(mail.header.words("subject")):
        return True
    # Dovecot says with a receipt that a mailbox was full.
    return mail.report_type in _OTHER_REPORTS and not tells_of_failure(mail)


def wants_out(line: str) -> bool:
    """Whether a subject or a first line asks to be taken off a list."""
    return bool(_WANTS_OUT.search(line))


def first_line(mail: Mail) -> str:
    """The first line of the text that is not empty; nothing when it is quoted from another mail."""
    line = next((line.strip() for line in mail.prose.split("\n") if line.strip()), "")
    return "" if line.startswith(">") else line


def _sender(mail: Mail) -> str:
    """The From field without the domain of its address."""
    name, _, domain = mail.header.words("from").rpartition("@")
    return name or domain
