internal import ArgumentParser
internal import Comparison

/// Makes one dataset, for measurements by hand.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make a dataset."
  )

  @OptionGroup var data: DataOptions

  @Argument(help: "large, medium, small or noise.")
  var dataset: Dataset.Name

  @Argument(help: "A directory, made if it is not there.")
  var directory: String

  func run() throws {
    try MachineFile.makeDirectory(directory)
    let dataset = Dataset(dataset, scale: data.scale, seed: data.seed)
    try DatasetWriter(dataset).write(below: directory)
    print("\(dataset.summary) in \(directory)")
  }
}
