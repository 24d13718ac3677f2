#!/usr/bin/python3
"""km-generate against a server from hell (server.py): TAP.   hostile.py [--only=NAME,...]

In each scenario it must end in bounded time and memory, tell in at most one line what was wrong, fall back on another policy,
keep what happened in the transcript, and never write the key.  $BUILD is the build, $SCRATCH a folder.
"""
import concurrent.futures
import json
import os
import pathlib
import resource
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import canary

BIN = pathlib.Path(os.environ['BUILD']) / 'bin'
SCRATCH = pathlib.Path(os.environ['SCRATCH'])
CANARY = os.environ.get('KM_CANARY') # a secret planted in all tests: tests/trust/canary.sh
KEY = pathlib.Path(CANARY, 'key').read_text().strip() if CANARY else 'sk-canary-' + os.urandom(18).hex()
SECONDS, MEBIBYTES = 8, 160 # an exchange has 3 s, and what is made instead takes the rest
SANITIZED = bool(os.environ.get('SANITIZED'))
ONLY = [a[7:].split(',') for a in sys.argv[1:] if a.startswith('--only=')]
count = failed = 0
lock = threading.Lock()


def ok(passed, title, why=''):
    global count, failed
    with lock:
        count += 1
        failed += not passed
        print(f"{'' if passed else 'not '}ok {count} - {title}")
        if not passed:
            print('#   ' + str(why)[:1500].replace('\n', '\n#   '))
        sys.stdout.flush()


def run(*command):
    return subprocess.run(command, check=True, capture_output=True)


def make_certificates(folder):
    """A CA of our own, and a certificate for 127.0.0.1 by it."""
    ca, key = str(folder / 'ca.pem'), str(folder / 'ca.key')
    new = ['openssl', 'req', '-newkey', 'rsa:2048', '-nodes', '-subj']
    run(*new, '/CN=Test CA', '-x509', '-days', '2', '-keyout', key, '-out', ca)
    run(*new, '/CN=server', '-keyout', str(folder / 'key.pem'), '-out', str(folder / 'server.csr'))
    (folder / 'names').write_text('subjectAltName=IP:127.0.0.1\n')
    run('openssl', 'x509', '-req', '-in', str(folder / 'server.csr'), '-CA', ca, '-CAkey', key, '-CAcreateserial', '-days', '2', '-extfile',
        str(folder / 'names'), '-out', str(folder / 'cert.pem'))
    run(*new, '/CN=Another CA', '-x509', '-days', '2', '-keyout', str(folder / 'other.key'), '-out', str(folder / 'other.pem'))


def start_server(folder):
    process = subprocess.Popen([sys.executable, str(HERE / 'server.py'), str(folder)])
    while not (folder / 'port').exists():
        time.sleep(0.02)
    return process, int((folder / 'port').read_text()), int((folder / 'tls_port').read_text())


class Run:
    """One call of `km-generate next`."""

    def __init__(self, name, url, argument='', batch=2, seed=1, folder=None, transcript=True, **variables):
        self.folder = folder or SCRATCH / 'runs' / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.transcript = pathlib.Path(transcript) if isinstance(transcript, str) else self.folder / 'transcript.jsonl'
        environment = {k: v for k, v in os.environ.items() if not k.startswith('KM_LLM')}
        environment.update(KM_LLM_URL=url, KM_LLM_MODEL=name, KM_LLM_KEY_FILE=str(SCRATCH / 'key'), KM_LLM_STATE=str(self.folder / 'state'), KM_LLM_TIMEOUT_S='3',
                           KM_LLM_CONNECT_S='1', KM_LLM_STALL_S='1', KM_LLM_TRIES='3', KM_LLM_BACKOFF_S='0.02', KM_LLM_BACKOFF_MOST_S='0.1',
                           KM_LLM_RETRY_AFTER_S='0.3', KM_LLM_ANSWER_BYTES='4000000', KM_LLM_EXCHANGES='1', KM_LLM_BREAK_S='0',
                           KM_KNOWLEDGE=str(HERE / 'knowledge'), KM_CACHE=str(self.folder / 'cache'))
        environment.update({k: str(v) for k, v in variables.items()})
        command = [str(BIN / 'km-generate'), 'next', '--problem=relu/f32/M=64,N=300/t1', '--target=x86-avx2', f'--policy=llm{argument}', f'--batch={batch}',
                   f'--seed={seed}', '-o', str(self.folder / 'batch')]
        if transcript:
            command.append(f'--transcript={self.transcript}')
        start = time.monotonic()
        out, err = open(self.folder / 'stdout', 'a+'), open(self.folder / 'stderr', 'w+')
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=err, stdin=subprocess.DEVNULL,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds = time.monotonic() - start
        self.code = os.waitstatus_to_exitcode(status)
        self.mebibytes = usage.ru_maxrss / 1024
        err.seek(0)
        self.said = err.read()
        self.exchanges = list(self.read()) if self.transcript.exists() else []
        self.outcome = self.exchanges[-1]['outcome'] if self.exchanges else None
        batch_file = self.folder / 'batch'
        self.candidates = [json.loads(line) for line in batch_file.read_text().splitlines()] if batch_file.exists() else []
        self.policies = {c['policy'] for c in self.candidates}

    def read(self):
        for line in self.transcript.read_bytes().splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError: # torn
                pass

    def __str__(self):
        return f'exit {self.code}, {self.seconds:.1f} s, {self.mebibytes:.0f} MiB, outcome {self.outcome}, policies {self.policies}, retries ' \
               f"{[x['retries'] for x in self.exchanges]}, said {self.said!r}"

    def is_bounded(self):
        return self.code == 0 and self.candidates and self.said.count('\n') <= 1 and (SANITIZED or self.seconds < SECONDS and self.mebibytes < MEBIBYTES)


# scenario: the outcome, and the requests that reach the server: so many, or, where time ends it, up to so many.
LOOSE = {'slow-drip', 'silence', 'silence-within', 'huge-error', 'garbage'}
FAILURES = {
    'rate-storm': ('rate', 3), 'retry-after-negative': ('rate', 3), 'retry-after-huge': ('rate', 3), 'retry-after-date': ('busy', 3),
    'error-in-stream': ('error', 3), 'money-in-stream': ('money', 1), 'half-event': ('truncated', 3), 'no-terminator': ('truncated', 3),
    'slow-drip': ('timeout', 3), 'drip-of-words': ('timeout', 1), 'silence': ('timeout', 3), 'silence-within': ('timeout', 3),
    'huge-body': ('too-large', 1), 'huge-line': ('too-large', 1), 'huge-headers': ('too-large', 1), 'huge-error': ('busy', 3), 'many-events': ('too-large', 1),
    'endless-comments': ('too-large', 1), 'gzip-bomb': ('malformed', 1), 'bad-utf8': ('malformed', 1), 'lone-surrogate': ('malformed', 1),
    'nul-byte': ('malformed', 1), 'nul-escape': ('malformed', 1), 'deep-json': ('malformed', 1), 'duplicate-keys': ('malformed', 1),
    'long-number': ('malformed', 1), 'not-json': ('malformed', 1), 'html': ('truncated', 3), 'empty': ('unfit', 1), 'redirect': ('refused', 1), 'redirect-away': ('refused', 1),
    'reset': ('unreachable', 3), 'reset-within': ('unreachable', 3), 'garbage': (None, 3), 'echo-key': ('key-echoed', 1), 'echo-key-base64': ('key-echoed', 1),
    'echo-key-reversed': ('key-echoed', 1), 'echo-key-as-code': ('key-echoed', 1), 'money-429': ('money', 1), 'money-402': ('money', 1), 'money-spend': ('money', 1),
    'wrong-key': ('refused', 1), 'no-model': ('refused', 1), 'bad-request': ('refused', 1), 'nonsense': ('unfit', 1), 'two-fences': ('unfit', 1),
    'bidi-source': ('unfit', 1), 'wicked-launch': ('unfit', 1), 'nonsense-json': ('unfit', 1),
}
ANSWERS = {'good': 1, 'whole-json': 1, 'rate-once': 2, 'retry-after-past': 2, 'retry-after-words': 2, 'overloaded-529': 3, 'negative-usage': 1, 'wicked-source': 1}


def requests(folder, name):
    log = folder / 'log'
    return sum(line.split('\t')[2] == name for line in log.read_text().splitlines()) if log.exists() else 0


def is_wanted(name):
    return not ONLY or name in ONLY[0]


def failure(name, server, url):
    wanted, most = FAILURES[name]
    r = Run(name, url, ':knobs' if name == 'nonsense-json' else ':sources')
    asked = requests(server, name)
    good = r.is_bounded() and r.policies == {'greedy'} and (1 if name in LOOSE else most) <= asked <= most and (r.outcome == wanted or not wanted) and r.said.count('\n') == 1
    ok(good, f'{name}: {wanted or r.outcome} after {"up to " if name in LOOSE else ""}{most} requests, told in a line, and another policy proposes', f'{r}, {asked} requests')


def answer(name, server, url):
    r = Run(name, url, ':sources', batch=1)
    asked = requests(server, name)
    ok(r.is_bounded() and r.policies == {'llm'} and asked == ANSWERS[name] and not r.said, f'{name}: answered at request {ANSWERS[name]}', f'{r}, {asked} requests')


def tls(server, port):
    good, ca = f'https://127.0.0.1:{port}/v1', str(server / 'ca.pem')
    r = Run('good', good, ':sources', 1, folder=SCRATCH / 'runs/tls', KM_LLM_CA_FILE=ca)
    ok(r.is_bounded() and r.policies == {'llm'} and not r.said, 'TLS with a CA of our own: answered', r)
    before = requests(server, 'good')
    for title, url, variables in (('by a CA that is not trusted', good, {'KM_LLM_CA_FILE': str(server / 'other.pem')}), ('by none that the system trusts', good, {}),
                                  ('for another name', f'https://localhost:{port}/v1', {'KM_LLM_CA_FILE': ca}),
                                  ('where the file of CAs is missing', good, {'KM_LLM_CA_FILE': '/no/such'})):
        r = Run('good', url, ':sources', 1, folder=SCRATCH / 'runs' / title.replace(' ', '-'), **variables)
        ok(r.is_bounded() and r.outcome in ('untrusted', 'unreachable') and r.policies == {'greedy'} and requests(server, 'good') == before,
           f'a certificate {title}: nothing is sent', r)
    r = Run('good', f'https://127.0.0.1:{PLAIN}/v1', ':sources', 1, folder=SCRATCH / 'runs/tls-to-plain', KM_LLM_CA_FILE=ca)
    ok(r.is_bounded() and r.outcome == 'unreachable' and requests(server, 'good') == before, 'TLS to a server that speaks plainly: nothing is sent', r)


def addresses(server):
    for url in ('http://evil.example/v1', 'http://127.0.0.1.evil.example/v1', 'http://localhost.evil.example/v1', 'file:///etc/passwd', 'ftp://127.0.0.1/v1',
                'https://user:password@127.0.0.1/v1', 'https://127.0.0.1/v1?next=evil', 'http://127.0.0.1@evil.example/v1', 'gopher://127.0.0.1/', 'nonsense',
                'http://127.1evil/v1', 'https://'):
        r = Run('good', url, ':sources', 1, folder=SCRATCH / 'runs' / ('url-' + ''.join(c if c.isalnum() else '-' for c in url)))
        ok(r.is_bounded() and not r.exchanges and 'KM_LLM_URL' in r.said and r.policies == {'greedy'}, f'{url} is refused before anything is sent', r)
    r = Run('good', 'http://127.0.0.1:1/v1', ':sources', 1, folder=SCRATCH / 'runs/no-server')
    ok(r.is_bounded() and r.outcome == 'unreachable' and r.policies == {'greedy'}, 'no server: told in a line, and another policy proposes', r)


def keys(server, url):
    def with_key(name, text, mode, title):
        path = SCRATCH / f'key-{name}'
        if text is not None:
            path.write_bytes(text)
            path.chmod(mode)
        before = requests(server, 'good')
        r = Run('good', url, ':sources', 1, folder=SCRATCH / 'runs' / f'key-{name}', KM_LLM_KEY_FILE=path)
        ok(r.is_bounded() and 'key file' in r.said and r.policies == {'greedy'} and requests(server, 'good') == before, title, r)
        path.unlink(missing_ok=True)
    with_key('open', KEY.encode(), 0o644, 'a key file that others may read is refused')
    with_key('group', KEY.encode(), 0o640, 'and one that the group may')
    with_key('missing', None, 0, 'a key file that is missing is told')
    with_key('empty', b'', 0o600, 'an empty one too')
    with_key('lines', KEY.encode() + b'\nX-Evil: 1\n', 0o600, 'a key of two lines, which would be a header of its own, is refused')
    with_key('long', b'k' * 5000, 0o600, 'and one of five thousand characters')
    with_key('nul', b'abcdefghij\0klm', 0o600, 'and one with a NUL')


def variables(url):
    for name, value in (('KM_LLM_TIMEOUT_S', 'soon'), ('KM_LLM_TRIES', '1e9'), ('KM_LLM_MODEL', ''), ('KM_LLM_MODEL', ',:,'), ('KM_LLM_PRICE', 'cheap'), ('KM_LLM_FORMAT', 'xml'),
                        ('KM_LLM_RETRY_AFTER_S', '-1'), ('KM_LLM_TEMPERATURE', 'nan')):
        r = Run('good', url, ':sources', 1, folder=SCRATCH / 'runs' / f'{name}-{len(value)}', **{name: value})
        ok(r.is_bounded() and name in r.said and r.policies == {'greedy'}, f'{name}={value} is told in a line', r)


def budgets(server, url):
    folder = SCRATCH / 'runs/shared'
    for i in range(40):
        Run('rate-storm', url, ':sources', 1, seed=i, folder=folder / str(i), KM_LLM_STATE=folder / 'state', KM_LLM_RETRY_SHARE='0.1')
    # The scenario of that name ran once before, with its own budget.
    asked = requests(server, 'rate-storm') - STORM
    ok(40 <= asked <= 40 + 5 + 4, f'retries of all workers are at most 5 and a tenth of the requests: {asked - 40} of 40', asked)
    state = folder / 'breaker'
    before = requests(server, 'no-model')
    for i in range(12):
        r = Run('no-model', url, ':sources', 1, seed=i, folder=folder / f'b{i}', KM_LLM_STATE=state, KM_LLM_BREAK_S='60')
    ok(requests(server, 'no-model') - before == 5 and 'on end' in r.said, 'after five failures on end nobody is asked for a while', r)
    for i in range(3):
        r = Run('wrong-key', url, ':sources', 1, seed=i, folder=folder / f'k{i}', KM_LLM_STATE=folder / 'stopped')
    ok(requests(server, 'wrong-key') - WRONG == 1 and 'stopped for this key' in r.said, 'a key that is refused is not sent again', r)
    before = requests(server, 'good')
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: Run('good', url, ':sources', 1, seed=i, folder=folder / f'r{i}', KM_LLM_STATE=folder / 'rate', KM_LLM_REQUESTS_PER_MIN='12', KM_LLM_TIMEOUT_S='0.5'), range(12)))
    ok(3 <= requests(server, 'good') - before <= 5, 'workers share the rate of requests: 3 at once of 12 a minute', requests(server, 'good') - before)
    for i in range(3):
        r = Run('good', url, ':sources', 1, seed=i, folder=folder / f't{i}', KM_LLM_STATE=folder / 'tokens', KM_LLM_TOKENS='1500')
    ok('KM_LLM_TOKENS' in r.said, 'a campaign ends asking when its tokens are used', r)


def clocks(server, url):
    folder = SCRATCH / 'runs/clock'
    folder.mkdir(parents=True, exist_ok=True)
    shim = folder / 'clock.so'
    if not SANITIZED:
        run('gcc', '-O1', '-shared', '-fPIC', '-o', str(shim), str(HERE / 'clock_shim.c'), '-ldl')
        for title, name in (('jumps to and fro', 'fails-then-good'), ('jumps while the server asks for a wait', 'retry-after-date')):
            r = Run(name, url, ':sources', 1, folder=folder / name, LD_PRELOAD=shim, KM_LLM_STATE=folder / name / 'state')
            ok(r.is_bounded() and (r.policies == {'llm'} or name != 'fails-then-good'), f'a clock that {title}: bounded all the same', r)
    for i, text in enumerate((b'', b'\xff\x00\x01', b'boot: x\nat_s: 1e300\nclosed_until_s: 1e300\n', b'at_s: nan\nrequests_left: -inf\ntokens: -1e308\n', b'x' * 100000,
                              b'boot: ' + pathlib.Path('/proc/sys/kernel/random/boot_id').read_bytes() + b'at_s: 1e18\nfailures: 99\nclosed_until_s: 1e18\nrequests_left: -1e18\n',
                              b'boot: ' + pathlib.Path('/proc/sys/kernel/random/boot_id').read_bytes() + b'at_s: 1\nfailures: 99\nclosed_until_s: 1e18\n')):
        (folder / f's{i}').mkdir(exist_ok=True)
        (folder / f's{i}' / 'state').write_bytes(text)
        r = Run('good', url, ':sources', 1, folder=folder / f's{i}')
        ok(r.is_bounded() and r.policies == {'llm'}, f'a file of budgets from another time or of nonsense ({i}) stops nobody', r)
    r = Run('good', url, ':sources', 1, folder=folder / 'unwritable', KM_LLM_STATE='/proc/no/such')
    ok(r.is_bounded() and 'KM_LLM_STATE' in r.said and r.policies == {'greedy'}, 'without a place for the budgets nobody is asked', r)


def transcripts(server, url):
    folder = SCRATCH / 'runs/transcripts'
    r = Run('good', url, ':sources', 1, folder=folder / 'again')
    before, first = requests(server, 'good'), (folder / 'again/batch').read_text()
    r = Run('good', url, ':sources', 1, folder=folder / 'again')
    ok(requests(server, 'good') == before and (folder / 'again/batch').read_text() == first and len(r.exchanges) == 1, 'what was answered is not asked again: same batch, no request', r)
    whole = (folder / 'again/transcript.jsonl').read_bytes()
    bad = 0
    for cut in list(range(0, len(whole), 97)) + [len(whole) - 1]:
        (folder / 'again/transcript.jsonl').write_bytes(whole[:cut])
        r = Run('good', url, ':sources', 1, folder=folder / 'again')
        bad += not (r.code == 0 and r.policies == {'llm'} and not r.said and 1 <= len(r.exchanges) <= 2)
    ok(not bad, 'a transcript cut at any place is gone on with', bad)
    r = Run('good', url, ':sources', 1, folder=folder / 'nowhere', transcript=False)
    ok(r.is_bounded() and r.policies == {'llm'}, 'without a transcript it works, and keeps nothing', r)
    r = Run('good', url, ':sources', 1, folder=folder / 'unkept', transcript='/no/such/transcript.jsonl')
    ok(r.code == 0 and r.policies == {'greedy'} and 'transcript' in r.said, 'an answer that cannot be kept is not used', r)


def watch(stop, seen):
    """What processes show of themselves, again and again."""
    while not stop.is_set():
        hits, _, _ = canary.scan(SCRATCH / 'key', ['-'])
        seen.update(hits)
        time.sleep(0.1)


server = SCRATCH / 'server'
server.mkdir()
make_certificates(server)
if CANARY:
    (SCRATCH / 'key').symlink_to(pathlib.Path(CANARY, 'key'))
else:
    (SCRATCH / 'key').write_text(KEY + '\n')
    (SCRATCH / 'key').chmod(0o600)
process, PLAIN, TLS = start_server(server)
url = f'http://127.0.0.1:{PLAIN}/v1'
stop, seen = threading.Event(), set()
watcher = threading.Thread(target=watch, args=(stop, seen))
watcher.start()
try:
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(failure, n, server, url) for n in FAILURES if is_wanted(n)] + [pool.submit(answer, n, server, url) for n in ANSWERS if is_wanted(n)]
        for job in jobs:
            job.result()
    if not ONLY:
        STORM, WRONG = requests(server, 'rate-storm'), requests(server, 'wrong-key')
        ok(requests(server, '/stolen') == 0, 'no redirect was followed')
        tls(server, TLS)
        addresses(server)
        keys(server, url)
        variables(url)
        budgets(server, url)
        clocks(server, url)
        transcripts(server, url)
finally:
    stop.set()
    watcher.join()
    process.kill()
hits, files, size = canary.scan(SCRATCH / 'key', [SCRATCH])
ok(not hits and files > 50, f'the key is in none of {files} files written', hits)
ok(not seen, 'nor in what any process showed of itself', seen)
ok(canary.scan(SCRATCH / 'key', [SCRATCH / 'key'])[0] == [], 'the key file itself is no hit')
for form, text in {'plain': KEY, 'reversed': KEY[::-1], 'hex': KEY.encode().hex()}.items():
    (SCRATCH / 'planted').write_text('x' + text)
    ok(canary.scan(SCRATCH / 'key', [SCRATCH / 'planted'])[0], f'a key planted {form} is found')
(SCRATCH / 'planted').unlink()
print(f'1..{count}')
sys.exit(failed > 0)
