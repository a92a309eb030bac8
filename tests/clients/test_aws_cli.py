"""The AWS CLI at the endpoint: the scripts of docs/cli.md, as they stand there."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import shardstream as ss

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
RING = 2**128


@pytest.mark.timeout(300)
def test_scripts_when_run_then_read_all_and_split_the_hot_shard(tmp_path):
    assert shutil.which("jq"), "the scripts of docs/cli.md need jq: apt-get install jq, or brew install jq"
    scripts = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE))
    keys = ["user-1", *(f"user-{n % 8}" for n in range(40))]
    shards = [int.from_bytes(hashlib.md5(key.encode()).digest()) * 2 // RING for key in keys]
    hot = int(shards.count(1) > shards.count(0))
    with ss.Engine() as engine, engine.serve() as server:
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL_KINESIS": server.url,
            "AWS_PAGER": "",
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", scripts],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        lines = ran.stdout.splitlines()
        assert f"shardId-{hot:012} takes the most records" in lines
        assert "41" in [line.strip() for line in lines]
        read = [line.split("\t") for line in (tmp_path / "clicks.tsv").read_text().splitlines()]
        assert sorted(key for _, _, key in read) == sorted(keys)
        children = [line.split() for line in lines if line.startswith(("shardId-000000000002", "shardId-000000000003"))]
        assert [child[0][-1] for child in children] == ["2", "3"]
        assert int(children[1][1]) == RING * (1 + 2 * hot) // 4
        parents = {shard.parent_shard_id for shard in engine.stream("clicks").shards()[2:]}
        assert parents == {f"shardId-{hot:012}"}
