"""Results of a long battery that goes on where it was ended: with KM_RESUME=FOLDER each is kept as it comes, and a later run of
the same tools takes it from there.  Tools that were built anew begin anew."""
import hashlib
import json
import os
import pathlib
import time


class Kept:
    """A map from texts to what json can write; without KM_RESUME it begins empty and ends with the process."""

    def __init__(self, name, tools):
        self.known, self.file, self.began = {}, None, time.time()
        folder = os.environ.get('KM_RESUME')
        if not folder:
            return
        stamp = hashlib.sha256(b''.join(pathlib.Path(t).read_bytes() for t in tools)).hexdigest()[:16]
        path = pathlib.Path(folder, f'{name}.{stamp}')
        path.parent.mkdir(parents=True, exist_ok=True)
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                key, value, seconds = json.loads(line)
            except ValueError:
                continue  # a kill's last line
            self.known[key] = value
            self.began -= seconds
        self.file = path.open('a', buffering=1)

    def __contains__(self, key):
        return key in self.known

    def __getitem__(self, key):
        return self.known[key]

    def keep(self, key, value, seconds):
        self.known[key] = value
        if self.file:
            self.file.write(json.dumps([key, value, seconds]) + '\n')

    def seconds(self):
        """Of all runs together."""
        return time.time() - self.began
