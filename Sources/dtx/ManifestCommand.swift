import ArgumentParser

/// `dtx manifest`: makes, shows and compares manifests.
struct ManifestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manifest",
    abstract: "Make, show and compare manifests.",
    discussion: "A manifest names a dataset's entries and the digest of every part of its files.",
    subcommands: [
      ManifestCreateCommand.self, ManifestShowCommand.self, ManifestDiffCommand.self,
    ]
  )
}
