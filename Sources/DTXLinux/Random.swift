internal import CLiburing
internal import Glibc

/// Bytes that nobody can predict, from the kernel (getrandom(2)); fit for keys.
///
/// There is no way to go on without them, so a kernel that has none ends the program.
package func randomBytes(_ count: Int) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
    let result = dtx_random(buffer.baseAddress, count)
    precondition(result == 0, "getrandom failed with errno \(errno)")
    filled = count
  }
}
