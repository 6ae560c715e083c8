"""The prefix of every kind of id. Clients treat ids as opaque; so do we, apart from making them."""

from __future__ import annotations

from typing import Final

# The documentation's generations disagree (agent_/agt_, pn_/num_, tx_/tr_); one prefix per kind, never parsed.
PREFIXES: Final = {
    "account": "acct_",
    "agent": "agt_",
    "number": "num_",
    "call": "call_",
    "web_token": "wct_",
    "transcript": "tr_",
    "turn": "turn_",
    "message": "msg_",
    "conversation": "conv_",
    "contact": "contact_",
    "webhook": "wh_",
    "secret": "whsec_",
    "delivery": "del_",
    "voice_delivery": "voice_",
    "finding": "fnd_",
    "group": "grp_",
    "reaction": "rxn_",
    "background": "bg_",
    "sub_account": "sub_",
    "registration": "reg_",
    "sip_trunk": "trunk_",
    "verification": "ver_",
    "whatsapp_connection": "wac_",
    "ledger_entry": "txn_",
    "feedback": "fb_",
    "thread": "thread_",
    "fault": "flt_",
}
