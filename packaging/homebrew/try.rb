# Runs the methods of the formula with stand-ins for Homebrew's, and checks what they would do: ruby packaging/homebrew/try.rb
require "pathname"

# What a formula inherits: declarations are recorded, commands are not run.
class Formula
  Version = Struct.new(:major_minor)

  class << self
    def [](name)
      (@known ||= {})[name] ||= new
    end

    def declared
      @declared ||= {}
    end

    %i[desc homepage url sha256 license depends_on].each do |name|
      define_method(name) { |value| (declared[name] ||= []) << value }
    end

    def test(&block)
      declared[:test] = block
    end
  end

  attr_reader :commands

  def initialize
    @commands = []
  end

  def version = Version.new("5.4")
  def prefix = Pathname("/prefix")
  def include = prefix/"include"
  def opt_bin = Pathname("/opt/bin")
  def opt_include = Pathname("/opt/include")

  def pkgshare
    share = prefix/"share"
    share.define_singleton_method(:install) { |file| File.exist?(file) || raise("no file #{file}") }
    share
  end

  def with_env(variables)
    @environment = variables
    yield
  end

  def system(*command)
    @commands << [@environment, command.map(&:to_s)]
  end
end

require_relative "lua-lanes"
formula = LuaLanes.new
formula.install
formula.instance_exec(&LuaLanes.declared[:test])
features = formula.commands.filter_map { |_, command| command.last if command.first == "cargo" }
raise "features: #{features}" unless features == %w[lua54 luajit]

installs = formula.commands.select { |_, command| command.first == "ci/install" }
raise "installs: #{installs}" unless installs.map { |_, command| command.last } == %w[5.4 luajit]
raise "installs: #{installs}" unless installs.all? { |environment, _| environment[:PREFIX] == "/prefix" }

puts "the formula builds #{features.join(" and ")}"
