#!/usr/bin/env python3
"""image.py NAME FOLDER ENTRYPOINT FILE: writes FILE, an OCI image of one layer, that of FOLDER, for `ctr images import`."""
import hashlib
import io
import json
import sys
import tarfile

name, folder, entrypoint, file = sys.argv[1:]
blobs = {}


def blob(data, kind):
    digest = hashlib.sha256(data).hexdigest()
    blobs[f"blobs/sha256/{digest}"] = data
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}


buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w") as tar:
    tar.add(folder, arcname=".")
layer = blob(buffer.getvalue(), "layer.v1.tar")
config = blob(json.dumps({
    "architecture": "amd64", "os": "linux", "config": {"Entrypoint": [entrypoint]},
    "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
}).encode(), "config.v1+json")
manifest = blob(json.dumps({
    "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [layer],
}).encode(), "manifest.v1+json")
manifest["annotations"] = {"io.containerd.image.name": name}
blobs["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
blobs["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode()

with tarfile.open(file, "w") as tar:
    for path, data in blobs.items():
        entry = tarfile.TarInfo(path)
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
