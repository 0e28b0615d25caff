import DTXLinux
import Glibc
import Testing

/// A file system of its own, in an image, mounted at a workplace's directory.
///
/// It goes when the test lets go of it.
final class LoopDisk {
  enum Kind: String {
    case ext4, btrfs
    /// An ext4 whose directories take names that differ in case for one, where chattr(1) says so.
    case casefold

    var name: String { self == .btrfs ? "btrfs" : "ext4" }
    var options: String { self == .casefold ? "-O casefold -E encoding=utf8" : "" }
  }

  private let place: Workplace
  private let name: String
  private let kind: Kind
  private var image: String { place("\(name).image") }

  /// Why there can be no such disk here; nil where there can.
  static func obstacle(_ kind: Kind) -> String? {
    if Host.effectiveUserID != 0 { return "file systems are root's to mount" }
    if kind == .casefold, access("/sys/fs/ext4/features/casefold", F_OK) != 0 {
      return "this kernel's ext4 tells all names apart"
    }
    let tools = "command -v mkfs.\(kind.name) && grep -w \(kind.name) /proc/filesystems"
    let isThere = (try? Tool.run("sh", "-c", "{ \(tools) && losetup -f; } >&2"))?.status == 0
    return isThere ? nil : "\(kind.name) cannot be made and mounted here"
  }

  /// Makes the file system and mounts it.
  init(_ kind: Kind, _ place: Workplace, at name: String, byteCount: Int) throws {
    self.place = place
    self.name = name
    self.kind = kind
    try place.makeDirectory(name)
    let make = "mkfs.\(kind.name) -q \(kind.options) '\(image)'"
    try Tool.shell("truncate -s \(byteCount) '\(image)' && \(make) >&2")
    try mount()
  }

  deinit {
    _ = try? Tool.run("umount", "--lazy", place(name))
  }

  /// Mounts it; an error of its own leaves it readable alone.
  func mount() throws {
    let option = kind.name == "ext4" ? ",errors=remount-ro" : ""
    try Tool.shell("mount -o loop\(option) '\(image)' '\(place(name))'")
    // It is no part of any dataset.
    try Tool.shell("rmdir '\(place(name))/lost+found' 2>&1 || true")
  }

  func unmount() throws {
    try Tool.shell("umount '\(place(name))'")
  }

  /// Has the kernel find the file system damaged, which mounts it again for reading alone.
  func fail() throws {
    let device = try Tool.shell("losetup -n -O NAME -j '\(image)'")
    let number = device.split(separator: "/").last.map { $0.filter { !$0.isWhitespace } } ?? ""
    try Tool.shell("echo found by a test > /sys/fs/ext4/\(number)/trigger_fs_error")
  }

  /// Inverts the first of these bytes where the device has them: what the kernel holds of them in
  /// memory stays as it was.
  func rot(_ bytes: ArraySlice<UInt8>) throws {
    let pattern = bytes.map { "\\x" + String(0x100 | Int($0), radix: 16).dropFirst() }.joined()
    let found = try Tool.shell("LC_ALL=C grep -obUaP '\(pattern)' '\(image)' | cut -d: -f1")
    let offset = try #require(UInt64(found.filter { !$0.isWhitespace }), "found at \(found)")
    let file = try File.open(Array(image.utf8), .readWrite)
    try file.write([~bytes[bytes.startIndex]], at: offset)
  }

  /// Checks it, as the next start of the machine does.
  func repair() throws {
    let ending = try Tool.run("sh", "-c", "e2fsck -fy '\(image)' >&2")
    try #require([0, 1].contains(ending.status), "\(ending.status)")
  }
}
