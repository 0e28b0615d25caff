internal import DTXLinux

/// Where a user's own files are, by the XDG Base Directory Specification.
enum UserDirectory {
  /// `$XDG_STATE_HOME/dtx`, else `~/.local/state/dtx`; nil for a user without a home.
  static var state: [UInt8]? { place("XDG_STATE_HOME", "/.local/state") }

  /// `$XDG_CONFIG_HOME/dtx`, else `~/.config/dtx`; nil for a user without a home.
  static var configuration: [UInt8]? { place("XDG_CONFIG_HOME", "/.config") }

  /// Opens a directory, and makes it with its parents where it is missing, for this user alone.
  ///
  /// - Parameter path: absolute.
  /// - Returns: the directory.
  /// - Throws: why it cannot be had.
  @discardableResult
  static func make(_ path: [UInt8]) throws(TransferError) -> Directory? {
    try DestinationRoot.open(path, creates: true, isContents: true)
  }

  /// What the variable names, if it is an absolute path, else a place below the user's home.
  private static func place(_ variable: String, _ belowHome: String) -> [UInt8]? {
    let own = Array("/dtx".utf8)
    if let path = Host.environment(variable), path.hasPrefix("/") { return Array(path.utf8) + own }
    guard let home = Host.homeDirectory else { return nil }
    return home + Array(belowHome.utf8) + own
  }
}
