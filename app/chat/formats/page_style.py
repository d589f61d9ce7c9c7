"""How an exported page looks: one column, quiet colours, light or dark as the reader's system is."""

STYLE = """
:root {
  --paper: #fbfaf8; --ink: #24292f; --quiet: #646b73; --line: #e3e0da; --card: #ffffff; --code: #f3f1ec;
  --accent: #2f6f8f; --warning: #9a5b00; --failure: #a8322d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181c; --ink: #d9dce1; --quiet: #939aa4; --line: #2b2f36; --card: #1c1f24; --code: #23272e;
    --accent: #7fb8d4; --warning: #d9a441; --failure: #e5837d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 3rem 1.25rem 5rem; max-width: 46rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.65 system-ui, sans-serif; overflow-wrap: anywhere;
}
header { margin-bottom: 2.5rem; }
header p, .when { color: var(--quiet); font-size: .85rem; font-weight: 400; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.3; }
h2, h3, h4, h5, h6 { line-height: 1.35; }
article { margin: 1.75rem 0; isolation: isolate; contain: content; }
article > h2 { margin: 0 0 .5rem; font-size: .95rem; }
.who { color: var(--accent); }
.user { padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
.user .who { color: var(--ink); }
article > :last-child { margin-bottom: 0; }
article div > :first-child { margin-top: 0; }
article div > :last-child { margin-bottom: 0; }
a { color: var(--accent); }
code, pre { font: .88em/1.55 ui-monospace, monospace; }
code { padding: .1em .3em; border-radius: .25rem; background: var(--code); }
pre { padding: .9rem 1rem; border-radius: .5rem; background: var(--code); overflow-x: auto; overflow-wrap: normal; }
div > pre:only-child { white-space: pre-wrap; }
pre code { padding: 0; background: none; font: inherit; }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--quiet); }
table { display: block; overflow-x: auto; border-collapse: collapse; }
th, td { padding: .35rem .75rem; border: 1px solid var(--line); }
hr { border: 0; border-top: 1px solid var(--line); }
details { margin: .75rem 0; padding: .5rem .9rem; border-left: 3px solid var(--line); color: var(--quiet); }
summary { cursor: pointer; font-size: .9rem; }
details > div { padding-top: .6rem; }
img { max-width: 100%; border-radius: .5rem; }
.picture { color: var(--quiet); }
.ending { color: var(--warning); font-size: .9rem; }
.ending.failed { color: var(--failure); }
@media print { body { max-width: none; padding: 0; } article { contain: none; } }
"""
