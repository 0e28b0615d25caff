/// Where data is or shall be: a path here, or a path that ssh leads to.
package struct Endpoint: Equatable, Sendable {
  /// What stands before the colon, as ssh takes it: `host` or `user@host`; nil for this machine.
  package var host: String?
  /// Any bytes but NUL.
  ///
  /// A trailing slash is kept: it means the contents.
  package var path: [UInt8]

  package init(host: String?, path: [UInt8]) {
    self.host = host
    self.path = path
  }

  /// Reads an argument as rsync does: a colon before any slash makes it remote.
  ///
  /// - Returns: nil for an empty host, an empty path here, or a host that ssh could take for an
  ///   option.
  package init?(argument: [UInt8]) {
    if let bracketed = Endpoint(bracketed: argument) {
      self = bracketed
      return
    }
    let colon = argument.firstIndex(of: UInt8(ascii: ":"))
    let slash = argument.firstIndex(of: UInt8(ascii: "/")) ?? argument.endIndex
    if let colon, colon < slash {
      guard let host = String(validating: argument[..<colon], as: UTF8.self), !host.isEmpty,
        !host.hasPrefix("-")
      else { return nil }
      let path = Array(argument[(colon + 1)...])
      self.init(host: host, path: path.isEmpty ? [UInt8(ascii: ".")] : path)
    } else {
      guard !argument.isEmpty else { return nil }
      self.init(host: nil, path: argument)
    }
  }

  /// An IPv6 address in brackets, as rsync and scp take it: `[user@][::1]:path`.
  private init?(bracketed argument: [UInt8]) {
    guard let text = String(validating: argument.prefix(300), as: UTF8.self),
      let open = text.firstIndex(of: "["), let close = text.firstRange(of: "]:"),
      open == text.startIndex || text[..<open].hasSuffix("@"), open < close.lowerBound,
      !text[..<close.lowerBound].contains("/")
    else { return nil }
    let user = String(text[..<open])
    let address = String(text[text.index(after: open)..<close.lowerBound])
    guard !address.isEmpty, !user.hasPrefix("-") else { return nil }
    let path = Array(argument.dropFirst(text[..<close.upperBound].utf8.count))
    self.init(host: user + address, path: path.isEmpty ? [UInt8(ascii: ".")] : path)
  }
}
