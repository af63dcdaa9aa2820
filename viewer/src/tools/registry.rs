//! The list of tools, and which of them are active.

use bevy::prelude::*;

use crate::input::intents::{Command, Intents};
use crate::input::map::{Action, Control, InputMap};

/// The system that starts and ends tools; the tools' own systems run after it.
#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
pub struct ToolSystems;

/// What is known of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Name in the state given to web pages.
    pub name: &'static str,
    /// Title for people: short, it is on a button.
    pub title: &'static str,
    /// What it is for, for the help.
    pub purpose: &'static str,
    /// Key that starts and ends it.
    pub key: KeyCode,
    /// Whether it takes clicks in the picture; drags still move the camera.
    pub uses_clicks: bool,
}

/// The tools.
#[derive(Resource, Clone, Debug, Default)]
pub struct ToolRegistry {
    tools: Vec<(Tool, bool)>,
}

impl ToolRegistry {
    /// Adds a tool, and binds its key.
    pub fn register(app: &mut App, tool: Tool) {
        app.world_mut().get_resource_or_init::<Self>().tools.push((tool, false));
        app.world_mut().get_resource_or_init::<InputMap>().bind(Control::Key(tool.key), Action::Once(Command::Tool(tool.name)));
    }

    /// All tools, and whether each is active.
    pub fn iter(&self) -> impl Iterator<Item = (Tool, bool)> {
        self.tools.iter().copied()
    }

    /// Names of the active tools.
    pub fn active(&self) -> impl Iterator<Item = &'static str> {
        self.iter().filter(|(_, active)| *active).map(|(tool, _)| tool.name)
    }

    /// The tool of a name.
    pub fn find(&self, name: &str) -> Option<Tool> {
        self.iter().map(|(tool, _)| tool).find(|tool| tool.name == name)
    }

    /// Whether a tool is active.
    pub fn is_active(&self, name: &str) -> bool {
        self.iter().any(|(tool, active)| active && tool.name == name)
    }

    /// Starts or ends a tool. Starting one that uses clicks ends the others that do.
    pub fn set_active(&mut self, name: &str, is_active: bool) {
        let takes_clicks = is_active && self.find(name).is_some_and(|tool| tool.uses_clicks);
        for (tool, active) in &mut self.tools {
            if tool.name == name {
                *active = is_active;
            } else if takes_clicks && tool.uses_clicks {
                *active = false;
            }
        }
    }

    /// Ends the tool that uses clicks.
    fn end(&mut self) {
        self.tools.iter_mut().filter(|(tool, _)| tool.uses_clicks).for_each(|(_, active)| *active = false);
    }
}

/// Starts and ends tools as the user wants.
pub(super) fn apply_commands(intents: Res<Intents>, mut registry: ResMut<ToolRegistry>) {
    for command in &intents.commands {
        match *command {
            Command::Tool(name) => {
                let is_active = registry.is_active(name);
                registry.set_active(name, !is_active);
            }
            Command::End => registry.end(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        let tool = |name, uses_clicks, key| Tool { name, title: name, purpose: name, key, uses_clicks };
        let mut app = App::new();
        app.init_resource::<Intents>().add_systems(Update, apply_commands);
        ToolRegistry::register(&mut app, tool("measure", true, KeyCode::KeyM));
        ToolRegistry::register(&mut app, tool("place", true, KeyCode::KeyL));
        ToolRegistry::register(&mut app, tool("cut", false, KeyCode::KeyC));
        app
    }

    fn run(app: &mut App, command: Command) -> Vec<&'static str> {
        app.world_mut().resource_mut::<Intents>().commands = vec![command];
        app.update();
        app.world().resource::<ToolRegistry>().active().collect()
    }

    #[test]
    fn one_tool_at_a_time_uses_clicks() {
        let mut app = app();
        assert_eq!(run(&mut app, Command::Tool("measure")), ["measure"]);
        assert_eq!(run(&mut app, Command::Tool("cut")), ["measure", "cut"]);
        assert_eq!(run(&mut app, Command::Tool("place")), ["place", "cut"]);
        assert_eq!(run(&mut app, Command::Tool("unknown")), ["place", "cut"]);
        assert_eq!(run(&mut app, Command::End), ["cut"]);
        assert_eq!(run(&mut app, Command::Tool("cut")), [""; 0]);
    }

    #[test]
    fn a_tools_key_is_in_the_map() {
        let app = app();
        let bound = (Control::Key(KeyCode::KeyM), Action::Once(Command::Tool("measure")));
        assert!(app.world().resource::<InputMap>().bindings().contains(&bound));
    }
}
