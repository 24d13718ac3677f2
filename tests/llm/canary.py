#!/usr/bin/python3
"""Where a secret lies in files or in what processes show: canary.py KEY_FILE PATH...

Plain, reversed, in base64 (at any place of a text), in hexadecimal, as in an address.  Prints 'PATH: FORM' and exits 1 where it is
found.  A PATH `-` is every process's command line and environment.  The key file itself is no hit.
"""
import base64
import os
import pathlib
import sys
import urllib.parse


def forms(key):
    found = {'plain': key, 'reversed': key[::-1], 'hex': key.hex().encode(), 'address': ''.join(f'%{b:02x}' for b in key).encode(),
             'quoted': urllib.parse.quote(key, safe='').encode()}
    for skip in range(3):
        whole = key[skip:skip + (len(key) - skip) // 3 * 3]
        found[f'base64 {skip}'] = base64.b64encode(whole)
        found[f'base64url {skip}'] = base64.urlsafe_b64encode(whole)
    return {name: text.lower() for name, text in found.items()}


def files(path):
    if path.is_dir() and not path.is_symlink():
        for folder, _, names in os.walk(path):
            yield from (pathlib.Path(folder, n) for n in names)
    else:
        yield path


def processes():
    for p in pathlib.Path('/proc').iterdir():
        if p.name.isdigit() and p.name != str(os.getpid()):
            yield from (p / 'cmdline', p / 'environ')


def scan(key_file, paths):
    key = pathlib.Path(key_file).read_bytes().strip()
    wanted, hits, count, size = forms(key), [], 0, 0
    longest = max(map(len, wanted.values()))
    for path in (f for p in paths for f in (processes() if p == '-' else files(pathlib.Path(p)))):
        try:
            if not path.is_file() or path.resolve() == pathlib.Path(key_file).resolve():
                continue
            with open(path, 'rb') as f:
                rest = b''
                while block := f.read(8 << 20):
                    text = (rest + block).lower()
                    hits += [f'{path}: {name}' for name, form in wanted.items() if form in text]
                    rest, size = text[-longest:], size + len(block)
                count += 1
        except OSError:
            continue
    return sorted(set(hits)), count, size


if __name__ == '__main__':
    hits, count, size = scan(sys.argv[1], sys.argv[2:])
    for hit in hits:
        print(hit)
    print(f'{count} files, {size} bytes', file=sys.stderr)
    sys.exit(1 if hits else 0)
