internal import Glibc

/// A file system on a loop device whose rate the kernel's block throttle limits, as root.
///
/// The image is sparse and had better be in memory. The throttle is cgroup v1's, whose root group
/// limits a device for everybody, the write-back included.
final class SlowDisk {
  private static let throttle = "/sys/fs/cgroup/blkio/blkio.throttle"

  /// Where it is mounted.
  let path: String
  private let image: String
  private let shell: Shell
  private let device: String
  private var limits: Set<String> = []

  init(byteCount: Int, in arena: Arena, _ shell: Shell) throws(HarnessError) {
    self.shell = shell
    path = "\(arena.root)/disk"
    image = "\(arena.root)/disk.img"
    try MachineFile.makeDirectory(path)
    // A device ends with a whole sector.
    let sectorsEnd = byteCount & ~4095
    try shell.run("truncate -s \(sectorsEnd) \(image) && mkfs.ext4 -q -F -m 0 \(image)")
    device = try shell.run("losetup --find --show \(image)").trimmed
    do throws(HarnessError) {
      try mount()
    } catch {
      _ = try? shell.run("losetup --detach \(device)")
      throw error
    }
  }

  deinit {
    for limit in limits { _ = try? set(limit, 0) }
    _ = try? shell.run("umount \(path)")
    _ = try? shell.run("losetup --detach \(device); rm -f \(image)")
  }

  /// Mounts it anew, so that nothing of it is in memory.
  func forget() throws(HarnessError) {
    try shell.run("umount \(path)")
    try mount()
  }

  /// Limits it.
  ///
  /// - Parameters:
  ///   - what: `read_bps`, `write_bps`, `read_iops` or `write_iops`.
  ///   - rate: a second; 0 for none.
  /// - Throws: where the kernel has no such throttle.
  func set(_ what: String, _ rate: Int) throws(HarnessError) {
    limits.insert(what)
    let name = device.split(separator: "/").last ?? ""
    try shell.run(
      "echo \"$(cat /sys/block/\(name)/dev) \(rate)\" > \(SlowDisk.throttle).\(what)_device"
    )
  }

  private func mount() throws(HarnessError) {
    // An inode table that is made behind the mount would take of the rate.
    try shell.run("mount -o noinit_itable \(device) \(path)")
  }
}

/// Runs lines of shell and reads what they print.
final class Shell {
  private let arena: Arena
  private var count = 0

  init(_ arena: Arena) {
    self.arena = arena
  }

  /// Runs a line to its end.
  ///
  /// - Returns: what it printed.
  /// - Throws: where its status is not 0.
  @discardableResult
  func run(_ line: String) throws(HarnessError) -> String {
    count += 1
    let log = "\(arena.state)/shell-\(count)"
    let status = Spawning.wait(try Spawning.start(["sh", "-c", line], output: log)).status
    let text = MachineFile.text(log)
    unlink(log)
    guard status == 0 else { throw HarnessError("\(line): \(text.trimmed)") }
    return text
  }
}
