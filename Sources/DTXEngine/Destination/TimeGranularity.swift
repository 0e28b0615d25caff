internal import DTXCore
internal import DTXLinux

/// What a file system keeps of a time, in nanoseconds.
enum TimeGranularity {
  /// A second that is odd, with a fraction that shows each decimal: whatever is cut off is seen.
  static let probe: Int64 = 1_000_000_001_987_654_321

  /// ext4, XFS, btrfs and tmpfs keep all; CIFS and NTFS 100 ns; some network file systems
  /// microseconds or milliseconds; exFAT 10 ms; NFSv2 and ext3 whole seconds; FAT every other one.
  private static let candidates: [Int64] = [
    1, 100, 1000, 1_000_000, 10_000_000, 1_000_000_000, 2_000_000_000,
  ]

  /// Gives a file a known time, which it keeps, and looks what has become of it.
  static func probe(_ file: File) throws(SystemError) -> Int64 {
    try file.setTimes(modified: probe)
    return granularity(of: try file.status().modified)
      // Whoever rounds otherwise keeps no more than the coarsest does.
      ?? candidates[candidates.count - 1]
  }

  /// The granularity that made this of the probe's time; nil if it is another time.
  static func granularity(of time: Int64) -> Int64? {
    candidates.first { time == probe / $0 * $0 }
  }
}
