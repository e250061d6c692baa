"""What tests of every area share: boxes in this process, boxes and desks as real processes, bad networks, failing disks."""
