"""Why a server refuses: read from enhanced status codes (RFC 3463) and from words that providers are known to use.

Codes alone mislead: QQ and 163 answer a rate limit with 550, as if the mailbox did not exist. So words about rate and
reputation are looked for first, and only what is left may say that an address is dead.
"""

from __future__ import annotations

import re
from enum import StrEnum

from newsletter.mail.reply import Reply


class Reason(StrEnum):
    """What a refusal is about."""

    NO_SUCH_MAILBOX = "no such mailbox"
    NO_SUCH_DOMAIN = "no such domain"
    MAILBOX_FULL = "mailbox full"
    DISABLED = "mailbox disabled"
    RATE = "rate limit"
    POLICY = "policy or reputation"
    SENDER = "sender refused"
    CONTENT = "content"
    NETWORK = "network"
    OTHER = "other"

    @property
    def dead_address(self) -> bool:
        """Whether no message will ever reach this address."""
        return self in (Reason.NO_SUCH_MAILBOX, Reason.NO_SUCH_DOMAIN)

    @property
    def about_us(self) -> bool:
        """Whether it speaks of the sender, its pace or its standing, not of the recipient."""
        return self in (Reason.RATE, Reason.POLICY, Reason.SENDER)


_Rules = tuple[tuple[Reason, re.Pattern[str]], ...]

# Phrases that mean something else than their code or their words. Postfix judges the sender at RCPT, with the words
# for a missing mailbox; Outlook says "access denied" for one.
_PHRASES: _Rules = (
    (
        Reason.SENDER,
        re.compile(
            r"sender (verify|verification|callout|address|mailbox|domain)|verification failed for"
            r"|bad (outbound )?sender|relay(ing)? (access )?(denied|not permitted)|not permitted to relay"
            r"|email address is not verified|\b(helo|ehlo)\b|发[件信送](人|域|方|地址)"
        ),
    ),
    (
        Reason.NO_SUCH_MAILBOX,
        re.compile(
            r"recipient address(es)? rejected ?: access denied"
            r"|5\.5\.0 requested action not taken: mailbox unavailable"
        ),
    ),
    (Reason.DISABLED, re.compile(r"mailbox unavailable or access denied")),
)

# Words about us, most telling reason first. 163/126 sign their refusals with two-part tags.
_ABOUT_US: _Rules = (
    (
        Reason.RATE,
        re.compile(
            r"frequency limit|rate.?limit|too many (connections|messages|recipients|mails|emails|sessions)"
            r"|throttl|sending too fast|exceeded the (rate|limit)|(hourly|daily) (limit|quota)|too much mail(?! stored)"
            r"|rp:(orq|qrc|cel|drc|rcl|trc)|hl:(itc|icc|ifc)|mi:(sfq|stc)|unusual rate|reduce your sending"
            r"|limits for how many messages|sending (quota|limit)"
            r"|频率(过高|超限|限制|受限)|频繁|发送(量|数量)?(超限|超过限制)"
        ),
    ),
    (
        Reason.CONTENT,
        re.compile(
            r"dt:(spm|sum)|looks like spam|(detected|classified|rejected|considered)( as)? spam"
            r"|spam (message|content|detected)|content spam|is likely spam|content (denied|rejected)"
            r"|message content|virus|malware|infected|prohibited attachment"
            r"|(message|mail) (size )?(is )?(too (large|big)|exceeds)|(message|mail) size limit"
            r"|exceeded .{0,30}message size"
            r"|垃圾邮件(?!投诉)|病毒|内容(被拒绝|违规|不合规)|敏感(词|内容)"
        ),
    ),
    (
        Reason.POLICY,
        re.compile(
            r"\bspf\b|\bdkim\b|\bdmarc\b|unauthenticated|not authenticated|reputation|black.?list|block.?list"
            r"|\bblocked\b|spamhaus|barracuda|\brbl\b|dnsbl|poor standing|suspicious|suspected|hl:(ipb|rep)"
            r"|policy|administrative prohibition|reverse (dns|hostname)|\bptr\b|dynamic ip|banned|access denied"
            r"|behaviou?r spam|client host rejected|not accepting (mail|messages) from|黑名单|信誉|拒收|拒绝接收"
        ),
    ),
)

_ABOUT_THE_RECIPIENT: _Rules = (
    (
        Reason.MAILBOX_FULL,
        re.compile(
            r"(mailbox|inbox|account|user|recipient).{0,40}(full|over.?quota|quota exceeded|storage)"
            r"|over.?quota|quota (is )?exceeded|insufficient (disk|storage) space|out of storage"
            r"|space (is )?not enough|(mailbox|inbox|folder) (is )?full|full mailbox|(disk|mail|mailbox) quota"
            r"|quota violation|over (disk )?quota|exceed\w* .{0,20}quota|quota .{0,12}exceed|storage allocation"
            r"|已满|(空间|容量)(已经?)?(不足|不够|超限|用完)|超[过出].{0,6}配额"
        ),
    ),
    (
        Reason.DISABLED,
        re.compile(
            r"(account|mailbox|user|recipient|address).{0,40}"
            r"(disabled|inactive|suspended|deactivated|expired|closed|locked|no longer active)|mailbox unavailable"
            r"|(帐号|账号|帐户|账户|邮箱|用户|收件人).{0,12}(停用|禁用|冻结|锁定|注销|过期|暂停|未激活)"
        ),
    ),
    (
        Reason.NO_SUCH_DOMAIN,
        re.compile(
            r"(domain|host).{0,40}(not found|does ?n.t exist|does not exist|unknown|not exist)"
            r"|unroute?able (mail )?domain|no such domain|bad destination (mailbox )?domain"
            r"|unknown host|find any host named|find a mail exchanger|point to non-existent hosts"
            r"|indicated no smtp service|域名?.{0,12}(不存在|无法解析|解析失败)|不存在的域|找不到.{0,12}域"
        ),
    ),
    (
        Reason.NO_SUCH_MAILBOX,
        re.compile(
            r"(user|mailbox|recipient|account|address|inbox|mail ?box).{0,60}"
            r"(unknown|not found|does ?n.t exist|does not exist|not exist|no longer (valid|available)|invalid"
            r"|not known|not recogni[sz]ed)"
            r"|(unknown|no such|invalid|non.?existent|not a valid) "
            r"(local )?(user|recipient|mailbox|address|account|person)|does ?n.t have an? \S+ account"
            r"|no mailbox here|is not a known user|address rejected: undeliverable|unroute?able address"
            r"|not listed in (domino|public)|invalid final delivery user|unknown or illegal|unavailable mail user"
            r"|address could ?n.t be found"
            r"|(收件人|用户|邮箱|地址|帐号|账号|帐户|账户).{0,12}(不存在|无效|有误|找不到|未注册|未开通)"
            r"|(不存在|无效|找不到).{0,16}(用户|邮箱|收件人|地址|帐号|账号|帐户|账户)|[无没]有?[此该]用户"
        ),
    ),
    # Last, since whoever could not be reached may have said something before.
    (
        Reason.NETWORK,
        re.compile(
            r"connect(ion)?( to .{0,120}| with .{0,120}|ions?)?:? ?(was |has )?"
            r"(timed? ?out|refused|reset|lost|dropped|failed|could not be established)"
            r"|lost connection|timed? ?out|no route to host|network (is )?unreachable|no answer from"
            r"|able to (connect|establish|reach)|could not connect|did not accept our requests"
            r"|name service error|dns (error|lookup|query|server)|host lookup|mail (for .{0,80} )?loop|routing loop"
            r"|hop count|too many hops|(message|delivery time|time) (has )?expired|retry time|queue too long"
            r"|in the queue|allowed queue period|not (reachable|responding)|did not respond|maximum delivery attempts"
            r"|delivery failed \d+ attempts|message looping|giving up on|tls (is required|handshake)|certificate verif"
            r"|超时|无法(建立)?连接|连接.{0,12}(失败|中断|被拒绝|不上)|网络.{0,6}(异常|错误|故障|问题)"
        ),
    ),
)

_CODES: dict[str, Reason] = {
    "1.1": Reason.NO_SUCH_MAILBOX,
    "1.2": Reason.NO_SUCH_DOMAIN,
    "1.3": Reason.NO_SUCH_MAILBOX,
    "1.6": Reason.NO_SUCH_MAILBOX,
    "1.7": Reason.SENDER,
    "1.8": Reason.SENDER,
    "1.10": Reason.NO_SUCH_DOMAIN,  # RFC 7505: null MX
    "2.1": Reason.DISABLED,
    "2.2": Reason.MAILBOX_FULL,
    "3.4": Reason.CONTENT,
    "2.3": Reason.CONTENT,
    "4.0": Reason.NETWORK,
    "4.1": Reason.NETWORK,
    "4.2": Reason.NETWORK,
    "4.3": Reason.NETWORK,
    "4.4": Reason.NETWORK,
    "4.5": Reason.RATE,
    "4.6": Reason.NETWORK,
    "4.7": Reason.NETWORK,
    "6.0": Reason.CONTENT,
}

# Addresses and links hold words that say nothing.
_NOISE = re.compile(r"https?://\S+|\S+@\S+")

# How Postfix and Exim pass on what the next server has said, behind a code of their own.
_QUOTED = re.compile(r"\bsaid: ([45]\d\d)[ -](.+)", re.DOTALL)


def read_reason(reply: Reply) -> Reason:
    """What a 4yz or 5yz reply is about. Where a relay quotes the next server, that one's words count."""
    if quoted := _QUOTED.search(reply.text):
        reply = Reply(int(quoted[1]), quoted[2])
    words = _NOISE.sub(" ", reply.text.lower())
    if phrase := _first(_PHRASES, words):
        return phrase
    coded = _CODES.get(reply.enhanced[2:], Reason.OTHER) if reply.enhanced else Reason.OTHER
    about_us = _first(_ABOUT_US, words)
    if about_us and not (coded.dead_address and about_us is not Reason.RATE):
        return about_us  # "5.1.1 … blocked": the code is the better witness of the two
    about_recipient = _first(_ABOUT_THE_RECIPIENT, words) or Reason.OTHER
    if coded is Reason.NETWORK:  # the last hop's trouble: what a server said before then tells more
        return coded if about_recipient is Reason.OTHER else about_recipient
    if coded is not Reason.OTHER:
        both_dead = coded.dead_address and about_recipient.dead_address
        return about_recipient if both_dead else coded
    if reply.enhanced and reply.enhanced[2:].startswith("7."):
        return about_recipient if about_recipient is Reason.NO_SUCH_MAILBOX else Reason.POLICY
    return about_recipient


def _first(rules: _Rules, words: str) -> Reason | None:
    return next((reason for reason, pattern in rules if pattern.search(words)), None)
