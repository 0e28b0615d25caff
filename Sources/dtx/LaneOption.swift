import ArgumentParser
import DTXCore
import DTXLinux

/// Lanes as `--lane` and `--lanes-file` give them.
enum LaneOption {
  /// A file of lanes is a few lines; what is longer is another file.
  private static let fileByteCount = 1 << 20

  /// Reads `rate=25G,reserved,bind=192.0.2.7`.
  static func lane(_ text: String) throws -> LaneDescription {
    do throws(LaneTextError) {
      return try LaneDescription(text)
    } catch {
      throw ValidationError(error.description)
    }
  }

  /// Reads the lanes that a file describes.
  static func file(_ text: String) throws -> [LaneDescription] {
    let path = try ArgumentValue.path(text)
    let content: [UInt8]
    do throws(SystemError) {
      let file = try File.open(path, .read)
      let byteCount = try file.status().byteCount
      guard byteCount <= fileByteCount else {
        throw SystemError(operation: "read", subject: printable(path), number: SystemError.tooLarge)
      }
      content = try file.read(byteCount: Int(byteCount), at: 0)
    } catch {
      throw ValidationError("\(printable(path)) cannot be read: \(error.explanation)")
    }
    guard let lanes = String(validating: content, as: UTF8.self) else {
      throw ValidationError("\(printable(path)) is not in UTF-8")
    }
    do throws(LaneTextError) {
      return try LaneFile.lanes(lanes)
    } catch {
      throw ValidationError("\(printable(path)): \(printable(Array(error.description.utf8)))")
    }
  }

  /// Checks what the lanes say of addresses.
  ///
  /// - Parameters:
  ///   - lanes: all of the transfer.
  ///   - hasPort: whether the user said on which port an end listens.
  /// - Throws: what is wrong with one of them, or with all.
  static func check(_ lanes: [LaneDescription], hasPort: Bool) throws {
    for lane in lanes {
      if let address = lane.route.bindAddress, SocketAddress(numericHost: address, port: 0) == nil {
        throw ValidationError("bind: '\(address)' is no address in digits, such as 192.0.2.7")
      }
    }
    if lanes.contains(where: { $0.window?.until != nil && $0.lane.rate == nil }) {
      throw ValidationError("until: without a rate nobody knows whether a lane is done by then")
    }
    let ports = lanes.compactMap { $0.route.target?.port }
    if !hasPort, ports.contains(where: { $0 != ports[0] }) {
      throw ValidationError(
        "an end listens on one port: give --port where lanes go to several, which lead there"
      )
    }
  }
}
