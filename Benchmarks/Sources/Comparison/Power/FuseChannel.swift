internal import Glibc

/// The kernel's side of a file system that holds one file, `disk`: fuse(4), linux/fuse.h.
///
/// Numbers have the processor's byte order, which is little-endian wherever this runs.
final class FuseChannel {
  /// A request of the kernel's.
  struct Request {
    var operation: Operation
    var unique: UInt64
    var node: UInt64
    /// What follows the header.
    var body: [UInt8]

    func number<Number: FixedWidthInteger>(_ offset: Int, _: Number.Type) -> Number {
      guard offset + MemoryLayout<Number>.size <= body.count else { return 0 }
      return body.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
    }
  }

  /// The requests that a file system of one file meets; linux/fuse.h, `fuse_opcode`.
  enum Operation: UInt32 {
    case lookUp = 1
    case forget = 2
    case getAttributes = 3
    case setAttributes = 4
    case open = 14
    case read = 15
    case write = 16
    case statistics = 17
    case release = 18
    case sync = 20
    case flush = 25
    case initialize = 26
    case openDirectory = 27
    case readDirectory = 28
    case releaseDirectory = 29
    case interrupt = 36
    case destroy = 38
    case forgetSeveral = 42
    /// Anything else, which is answered with ENOSYS.
    case other = 0xFFFF_FFFF
  }

  static let maximumWriteByteCount = 1 << 20

  private let descriptor: Int32
  private let place: String
  private var buffer = [UInt8](repeating: 0, count: maximumWriteByteCount + (64 << 10))

  /// Mounts it.
  ///
  /// - Parameter place: an empty directory.
  /// - Throws: where it cannot be mounted, as by somebody who is not root.
  init(at place: String) throws(HarnessError) {
    self.place = place
    descriptor = Glibc.open("/dev/fuse", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw HarnessError("open", "/dev/fuse", errno) }
    let options = "fd=\(descriptor),rootmode=40000,user_id=0,group_id=0,allow_other"
    let flags = UInt(MS_NOSUID | MS_NODEV)
    guard mount("dtx-compare", place, "fuse.dtx-compare", flags, options) == 0 else {
      let number = errno
      close(descriptor)
      throw HarnessError("mount", place, number)
    }
  }

  /// Ends it; whoever waits in `next` gets nil.
  func unmount() {
    umount2(place, Int32(MNT_DETACH))
  }

  deinit {
    close(descriptor)
  }

  /// The next request; nil once it is unmounted.
  func next() -> Request? {
    while true {
      let count = buffer.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR || errno == ENOENT { continue }
      guard count >= 40 else { return nil }
      return buffer.withUnsafeBytes { bytes in
        let raw = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        return Request(
          operation: Operation(rawValue: raw) ?? .other,
          unique: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
          node: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
          body: Array(bytes[40..<count])
        )
      }
    }
  }

  /// Answers a request.
  ///
  /// - Parameters:
  ///   - request: which.
  ///   - body: what follows the header.
  ///   - number: an error's; 0 for none.
  func answer(_ request: Request, _ body: [UInt8] = [], error number: Int32 = 0) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16 + body.count)
    append(UInt32(16 + body.count), to: &bytes)
    append(-number, to: &bytes)
    append(request.unique, to: &bytes)
    bytes += body
    _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
  }
}

/// Puts a number's bytes behind others.
func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
  withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
}
