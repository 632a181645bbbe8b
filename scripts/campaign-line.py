#!/usr/bin/env python3
"""A line between two network namespaces that meters, delays and loses packets: what netem does, also where the kernel has none.

usage: campaign-line.py SETTINGS SEED NAMESPACE/DEVICE NAMESPACE/DEVICE

SETTINGS is a file with one line such as `rate=1000 delay=0.1 jitter=0.05 loss=0.02 up=1`: bytes a second each way, seconds, a share of
the packets. What is left out does nothing. The file is read again when it changes. Runs until it is killed; the devices go with it.
"""
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_HEADER = 0x0001 | 0x1000
# What waits before a narrow place; a usual router's 30 or 40 packets. What comes beyond it is lost.
BUFFER_BYTES = 48 * 1024


def device(place):
    namespace, name = place.split("/")
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN_WITHOUT_HEADER))
    subprocess.run(["ip", "link", "set", name, "netns", namespace], check=True)
    return tun


def main():
    path, seed, left, right = sys.argv[1:]
    chance = random.Random(int(seed))
    ends = [device(left), device(right)]
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    free_at = dict.fromkeys(ends, 0.0)  # when the last packet of a direction has gone through the narrow place
    settings, read_at, changed = {}, 0.0, None
    waiting, number = [], 0
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        if now - read_at > 0.1:
            read_at = now
            modified = os.stat(path).st_mtime_ns
            if modified != changed:
                changed = modified
                with open(path) as file:
                    settings = {key: float(value) for key, value in (word.split("=") for word in file.read().split())}
        while waiting and waiting[0][0] <= now:
            _, _, end, packet = heapq.heappop(waiting)
            try:
                os.write(end, packet)
            except OSError:
                pass  # The device is down or full: the packet is lost.
        pause = min(0.1, waiting[0][0] - now) if waiting else 0.1
        for end in select.select(ends, [], [], max(0, pause))[0]:
            packet = os.read(end, 65536)
            now = time.monotonic()
            if not settings.get("up", 1) or chance.random() < settings.get("loss", 0):
                continue
            rate = settings.get("rate", 0)
            if rate:
                start = max(now, free_at[end])
                if (start - now) * rate > BUFFER_BYTES:
                    continue
                free_at[end] = start + len(packet) / rate
            due = free_at[end] if rate else now
            due += settings.get("delay", 0) + chance.uniform(0, settings.get("jitter", 0))
            number += 1
            heapq.heappush(waiting, (due, number, other[end], packet))


main()
