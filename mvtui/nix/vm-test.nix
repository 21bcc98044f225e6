# The module on a host with units of microvm.nix's names: who may do what with them, and what stands where.
module:
{ lib, pkgs, ... }:
let
  sleeps = {
    serviceConfig.ExecStart = "${pkgs.coreutils}/bin/sleep infinity";
  };
in
{
  name = "mvtui";

  nodes.machine = {
    imports = [ module ];
    options.microvm = {
      host.enable = lib.mkEnableOption "what stands for microvm.nix";
      stateDir = lib.mkOption {
        type = lib.types.path;
        default = "/var/lib/microvms";
      };
    };
    config = {
      microvm.host.enable = true;
      programs.mvtui = {
        enable = true;
        group = "operators";
        settings.definitions = "/etc/nixos/microvms";
      };
      users.users.alice = {
        isNormalUser = true;
        extraGroups = [ "operators" ];
      };
      users.users.bob.isNormalUser = true;
      systemd.services = {
        "microvm@" = sleeps;
        "microvm-virtiofsd@" = sleeps;
        other = sleeps;
      };
      systemd.tmpfiles.rules = [ "d /var/lib/microvms/web 0775 root kvm" ];
    };
  };

  testScript = ''
    machine.wait_for_unit("multi-user.target")


    def as_user(user: str, command: str) -> str:
        return f"su -l {user} -c {command!r}"


    machine.succeed("grep -F /etc/nixos/microvms /etc/mvtui/config.toml")
    machine.succeed("test -d /etc/nixos/microvms -a -d /var/lib/mvtui")
    machine.succeed("mvtui list --json | grep -F '\"name\": \"web\"'")
    machine.succeed("man --where mvtui")

    ask = "--no-ask-password"
    machine.succeed(as_user("alice", f"systemctl {ask} start microvm@web.service"))
    machine.succeed("systemctl show -P ExecStartPre microvm@web.service | grep -F -- --if-armed")
    machine.succeed(as_user("alice", f"systemctl {ask} restart microvm-virtiofsd@web.service"))
    machine.succeed(as_user("alice", f"systemctl {ask} stop microvm@web.service"))
    machine.fail(as_user("bob", f"systemctl {ask} start microvm@web.service"))
    machine.fail(as_user("alice", f"systemctl {ask} start other.service"))
    machine.fail(as_user("alice", f"systemctl {ask} enable microvm@web.service"))
    machine.fail(as_user("alice", f"systemctl {ask} set-property microvm@web.service CPUQuota=1%"))
    machine.fail(as_user("alice", f"systemd-run {ask} --unit=microvm@mine.service true"))
    machine.fail(as_user("alice", f"systemd-run {ask} true"))
  '';
}
