import ArgumentParser
import DTXEngine
import Testing

@testable import dtx

@Suite struct HelpTests {
  @Test(arguments: HelpGolden.pages)
  func everyCommandExplainsItself(_ page: HelpGolden.Page) throws {
    #expect(HelpTests.help(page.command) == page.text)
  }

  @Test func everyCommandHasItsPage() {
    let commands = HelpTests.commands(DTX.self, path: [])
    #expect(commands == HelpGolden.pages.map(\.command))
  }

  @Test func theProgramPrintsTheSame() throws {
    let result = try Invocation("help", "verify")
    #expect(result.status == 0)
    #expect(result.messages.isEmpty)
    #expect(result.output.hasPrefix("OVERVIEW: Read a tree back and compare it"))
  }

  @Test func theVersionNamesTheFormats() throws {
    let result = try Invocation("--version")
    #expect(result.status == 0)
    #expect(result.output == "dtx \(Release.version) (protocol 1, manifest 1)\n")
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completionsAreMadeForEveryShell(_ shell: String) throws {
    let result = try Invocation("--generate-completion-script", shell)
    #expect(result.status == 0)
    #expect(result.output.contains("allow-ssh-lanes"))
  }

  /// The names of all commands, a command before those below it.
  private static func commands(
    _ command: any ParsableCommand.Type,
    path: [String]
  ) -> [String] {
    [path.joined(separator: " ")]
      + command.configuration.subcommands.flatMap { below in
        commands(below, path: path + [below.configuration.commandName ?? ""])
      }
  }

  /// The help of a command at the width of the pages.
  static func help(_ command: String) -> String {
    var type: any ParsableCommand.Type = DTX.self
    for name in command.split(separator: " ") {
      let below = type.configuration.subcommands
      type = below.first { $0.configuration.commandName == String(name) } ?? type
    }
    return DTX.helpMessage(for: type, columns: 80)
  }
}
