/// What moves the dataset onto the disk whose power is cut.
package enum PowerMover: Sendable, CaseIterable {
  case dtx
  case rsync
  /// With `--fsync`, which syncs each file when it is complete.
  case rsyncWithSync

  package var name: String {
    switch self {
    case .dtx: "dtx push"
    case .rsync: "rsync -a"
    case .rsyncWithSync: "rsync -a --fsync"
    }
  }

  /// The command line, at 20 MB/s: a transfer of some seconds has several commits in it.
  ///
  /// - Parameters:
  ///   - program: dtx.
  ///   - source: a directory.
  ///   - target: a directory.
  ///   - isPaced: whether it is to take its time.
  ///   - isBuffered: whether dtx leaves large files to the page cache, too.
  /// - Returns: the program and its arguments.
  func arguments(
    program: String,
    source: String,
    target: String,
    isPaced: Bool,
    isBuffered: Bool
  ) -> [String] {
    switch self {
    case .dtx:
      let pace = isPaced ? ["--rate", "160M"] : []
      let way = ["--io", isBuffered ? "buffered" : "direct"]
      return [program, "push", "--json", "--block-size", "1MiB", "--lanes", "2"] + way + pace
        + ["\(source)/", target]
    case .rsync, .rsyncWithSync:
      let pace = isPaced ? ["--bwlimit=20000"] : []
      let sync = self == .rsyncWithSync ? ["--fsync"] : []
      return ["rsync", "-a"] + sync + pace + ["\(source)/", "\(target)/"]
    }
  }
}

/// A file system that is put on a disk.
package enum PowerFileSystem: String, CaseIterable, Sendable {
  case ext4
  case xfs
  case btrfs

  /// Makes it on a device.
  func makeArguments(_ device: String) -> [String] {
    switch self {
    case .ext4: ["mkfs.ext4", "-q", "-E", "nodiscard", device]
    case .xfs: ["mkfs.xfs", "-q", "-K", device]
    case .btrfs: ["mkfs.btrfs", "-q", "-K", device]
    }
  }
}
