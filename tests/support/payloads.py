"""What somebody might type to do more than be read. Shown literally wherever it appears; no host is asked for it."""

FOREIGN = "evil.example"
# Each tries another way out of being text. None is longer than a column's name may be.
PAYLOADS = {
    "script": f"<script src=//{FOREIGN}/s.js></script>",
    "image": f"<img src=//{FOREIGN}/i.png onerror=alert(1)>",
    "svg": f'<svg onload=fetch("//{FOREIGN}/v")><use href=//{FOREIGN}/u.svg#a /></svg>',
    "link": f"[click](https://{FOREIGN}/l)",
    "picture": f"![p](https://{FOREIGN}/p.png)",
    "address": f"https://{FOREIGN}/bare www.{FOREIGN}",
    "directive": ":red[c] :material/bolt: :smile: $x^2$ `code` **bold**",
    "entity": f"&lt;b&gt; &#60;img src=//{FOREIGN}/e.png&#62;",
    "style": f'"><style>@import "//{FOREIGN}/c.css"</style>',
    "template": "{{7*7}} ${7*7} %(a)s {0} <%= 7 %>",
    "formula": f'=HYPERLINK("https://{FOREIGN}/f","x")',
    "command": "@SUM(1+1)*cmd|' /C calc'!A0",
    "sql": "'; DROP TABLE rows;--",
}
