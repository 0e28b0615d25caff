internal import Glibc

/// The file system that a measurement works in, as far as it bears on the numbers.
package struct WorkFileSystem: Codable, Sendable {
  /// `tmpfs`, `ext4` and so on.
  package var type: String
  /// Whether files live in memory, so that fresh pages are what a run costs most.
  package var isMemory: Bool
  /// What says whether files get huge pages: the mount's `huge=` option, or its absence.
  package var hugePages: String

  /// The file system that a path is in.
  package init(at path: String) {
    let mount = WorkFileSystem.mount(of: path)
    type = mount.type
    isMemory = ["tmpfs", "ramfs", "hugetlbfs"].contains(mount.type)
    let option = mount.options.split(separator: ",").first { $0.hasPrefix("huge=") }
    hugePages = option.map(String.init) ?? "no huge pages"
    let forced = MachineFile.selected("/sys/kernel/mm/transparent_hugepage/shmem_enabled")
    if mount.type == "tmpfs", ["force", "deny"].contains(forced) {
      hugePages = "shmem_enabled=\(forced)"
    }
  }

  /// Bytes that files occupy in the file system of a path.
  package static func usedByteCount(at path: String) -> Int {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return 0 }
    return Int(status.f_blocks - status.f_bfree) * Int(status.f_frsize)
  }

  /// Type and options of the mount with the longest directory above a path: proc_pid_mountinfo(5).
  private static func mount(of path: String) -> (type: String, options: String) {
    var best = (type: "unknown", options: "", length: -1)
    for line in MachineFile.lines("/proc/self/mountinfo") {
      let fields = line.split(separator: " ")
      guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3 else { continue }
      let place = String(fields[4])
      let isAbove = place == "/" || path == place || path.hasPrefix(place + "/")
      // A later mount on the same directory hides the earlier one.
      if isAbove, place.count >= best.length {
        best = (String(fields[dash + 1]), String(fields[dash + 3]), place.count)
      }
    }
    return (best.type, best.options)
  }
}
