# As much of nixpkgs' lib as mvtui's module needs, for machines that have Nix and no nixpkgs. Its evalModules knows no
# types: sets are joined, so are lists of the same priority; of other values the one of the highest priority counts.
let
  # As in NixOS: an option's default, mkDefault, what is said plainly.
  ofDefault = 1500;
  ofMkDefault = 1000;
  plain = 100;

  is = kind: value: builtins.isAttrs value && value._type or "" == kind;
  isSet = value: builtins.isAttrs value && !(value ? outPath);

  # Of a value that may be wrapped what counts, with its priority.
  said =
    priority: value:
    if is "if" value then
      (if value.condition then said priority value.content else [ ])
    else if is "override" value then
      said value.priority value.content
    else
      [ { inherit priority value; } ];

  # As `said`, of a set that is no option's value: its conditions go down to those, which they may ask for.
  pushed =
    priority: value:
    if is "if" value then
      map (each: each // { value = builtins.mapAttrs (_: mkIf value.condition) each.value; }) (
        pushed priority value.content
      )
    else
      said priority value;

  merge =
    place: found:
    let
      least = builtins.foldl' (a: d: if d.priority < a then d.priority else a) ofDefault found;
      strongest = map (d: d.value) (builtins.filter (d: d.priority == least) found);
      of = name: builtins.concatMap (d: if d.value ? ${name} then said d.priority d.value.${name} else [ ]) found;
    in
    if builtins.all (d: isSet d.value) found then
      builtins.listToAttrs (
        builtins.concatMap (
          name:
          if of name == [ ] then
            [ ]
          else
            [
              {
                inherit name;
                value = merge "${place}.${name}" (of name);
              }
            ]
        ) (builtins.attrNames (builtins.foldl' (all: d: all // d.value) { } found))
      )
    else if builtins.length strongest == 1 then
      builtins.head strongest
    else if builtins.all builtins.isList strongest then
      builtins.concatLists strongest
    else
      throw "The option `${place}' has conflicting definition values";

  # An option is what is said of it, else its default. Which others there are is known before any of them.
  valued =
    place: options: found:
    builtins.mapAttrs (
      name: option:
      let
        here = "${place}.${name}";
        of = if is "option" option then said else pushed;
        inner = builtins.concatMap (
          d: if d.value ? ${name} then of d.priority d.value.${name} else [ ]
        ) found;
        default = {
          priority = ofDefault;
          value = option.default;
        };
      in
      if is "option" option then merge here (inner ++ [ default ]) else valued here option inner
    ) options;

  type = name: { inherit name; };
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
in
rec {
  inherit mkIf;
  evalModules =
    { modules }:
    let
      read =
        module:
        let
          value = if builtins.isPath module then import module else module;
          called = if builtins.isFunction value then value { inherit config options lib; pkgs = config._module.args.pkgs; } else value;
        in
        if called ? options || called ? config then called else { config = called; };
      # As in NixOS what the last module says comes first in a list.
      every = builtins.foldl' (before: module: [ (read module) ] ++ before) [ ] modules;
      options = merge "options" (
        map (m: {
          priority = plain;
          value = m.options or { };
        }) (every ++ [ { options._module.args = mkOption { default = { }; }; } ])
      );
      config = valued "config" options (builtins.concatMap (m: pushed plain (m.config or { })) every);
    in
    {
      inherit config options;
    };
  lib = {
    inherit evalModules mkOption mkIf mkDefault mkEnableOption literalExpression types;
    inherit optionalString optionalAttrs;
    replaceStrings = builtins.replaceStrings;
  };
  mkOption = option: option // { _type = "option"; };
  mkEnableOption = _: mkOption { type = types.bool; default = false; };
  mkDefault = content: { _type = "override"; priority = ofMkDefault; inherit content; };
  literalExpression = text: text;
  optionalString = condition: text: if condition then text else "";
  optionalAttrs = condition: set: if condition then set else { };
  types = {
    bool = type "bool";
    str = type "str";
    path = type "path";
    package = type "package";
    anything = type "anything";
    nullOr = inner: type "nullOr ${inner.name}";
    listOf = inner: type "listOf ${inner.name}";
    attrsOf = inner: type "attrsOf ${inner.name}";
    strMatching = _: type "strMatching";
    submodule = _: type "submodule";
  };
}
