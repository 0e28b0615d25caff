internal import Glibc

/// Holds the memory that a run will fill, and gives it back just ahead of the run.
///
/// A host takes the free pages of a virtual machine away within a second and hands them out again
/// at a tenth of the speed, so that without this a run measures the host's mood. The kernel gives
/// pages that were just freed to whoever asks next, and those are still the guest's.
package final class Keeper {
  private let path: String
  private let address: UnsafeMutableRawPointer
  private let byteCount: Int
  private let baseline: Int
  private var freed = 0

  /// How far the memory that is given back is ahead of the file system's growth.
  private static let lead = 256 << 20
  /// Whole huge pages, so that none is split.
  private static let grain = 2 << 20

  /// Allocates and touches memory.
  ///
  /// - Parameters:
  ///   - byteCount: what the run will write.
  ///   - path: in the memory file system that the run writes to.
  /// - Throws: when there is not so much.
  package init(byteCount: Int, path: String) throws(HarnessError) {
    let length = (byteCount + Keeper.grain - 1) / Keeper.grain * Keeper.grain
    guard
      let address = mmap(
        nil,
        length,
        PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS,
        -1,
        0
      ), address != MAP_FAILED
    else { throw HarnessError("mmap", "\(length) bytes", errno) }
    madvise(address, length, MADV_HUGEPAGE)
    for offset in stride(from: 0, to: length, by: 4096) {
      address.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }
    self.path = path
    self.address = address
    self.byteCount = length
    baseline = WorkFileSystem.usedByteCount(at: path)
  }

  deinit {
    munmap(address + freed, byteCount - freed)
  }

  /// Gives back what the run will need next; called every few milliseconds while it runs.
  package func follow() {
    let grown = max(0, WorkFileSystem.usedByteCount(at: path) - baseline)
    let wanted = min(byteCount, (grown + Keeper.lead) / Keeper.grain * Keeper.grain)
    guard wanted > freed else { return }
    munmap(address + freed, wanted - freed)
    freed = wanted
  }
}
