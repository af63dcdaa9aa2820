//! Shaders for points of the graphics card, whose size the vertex shader gives.
//!
//! One vertex a point instead of three costs a third of the vertices, which on weak machines is a large part of a frame. WGSL has no output for the size of a
//! point, but naga, the compiler behind it, has: the shader writes the size to an ordinary output, which becomes the built-in one here. Only WebGL
//! takes the size from the shader, so that only the web viewer draws such points.

use std::borrow::Cow;
use std::collections::HashMap;

use bevy::render::render_resource::{ShaderModule, ShaderModuleDescriptor, ShaderSource};
use bevy::render::renderer::RenderDevice;
use naga::{Binding, BuiltIn, Module, ShaderStage, TypeInner, UniqueArena};
use naga_oil::compose::{Composer, NagaModuleDescriptor, ShaderDefValue, ShaderType};
use thiserror::Error;

/// The location to which the shader writes the size.
const SIZE_LOCATION: u32 = 5;

/// Why a shader could not be made.
#[derive(Debug, Error)]
pub enum Fault {
    /// The source has an error.
    #[error("the shader of points is wrong: {0}")]
    Source(String),
    /// The vertex shader has no output for the size.
    #[error("the vertex shader writes nothing to location {SIZE_LOCATION}")]
    NoSize,
}

/// The vertex and the fragment shader of points, as discs or as squares.
///
/// # Errors
/// Where the source has an error or does not write the size.
pub fn shaders(device: &RenderDevice, discs: bool) -> Result<[ShaderModule; 2], Fault> {
    let module = |label, module| {
        device.create_and_validate_shader_module(ShaderModuleDescriptor {
            label: Some(label),
            source: ShaderSource::Naga(Cow::Owned(module)),
        })
    };
    Ok([module("points vertex", vertex(discs)?), module("points fragment", compose(discs, &[])?)])
}

fn vertex(discs: bool) -> Result<Module, Fault> {
    let mut module = compose(discs, &["VERTEX_STAGE"])?;
    name_size(&mut module.types)?;
    // The fragment shader takes what the vertex shader gives, but may not take the size.
    module.entry_points.retain(|entry| entry.stage == ShaderStage::Vertex);
    Ok(module)
}

fn compose(discs: bool, others: &[&str]) -> Result<Module, Fault> {
    let defs = others.iter().chain(discs.then_some(&"DISCS")).chain(&["POINTS"]);
    let shader_defs: HashMap<String, ShaderDefValue> = defs.map(|name| ((*name).to_owned(), ShaderDefValue::Bool(true))).collect();
    let descriptor = NagaModuleDescriptor {
        source: include_str!("points.wgsl"),
        file_path: "points.wgsl",
        shader_type: ShaderType::Wgsl,
        shader_defs,
        additional_imports: &[],
    };
    let mut composer = Composer::non_validating();
    composer.make_naga_module(descriptor).map_err(|fault| Fault::Source(fault.emit_to_string(&composer)))
}

/// Makes the output at [`SIZE_LOCATION`] the size of the point.
fn name_size(types: &mut UniqueArena<naga::Type>) -> Result<(), Fault> {
    let is_size = |binding: &Option<Binding>| matches!(binding, Some(Binding::Location { location: SIZE_LOCATION, .. }));
    let found = types.iter().find_map(|(handle, ty)| match &ty.inner {
        TypeInner::Struct { members, .. } => Some((handle, members.iter().position(|member| is_size(&member.binding))?)),
        _ => None,
    });
    let (handle, index) = found.ok_or(Fault::NoSize)?;
    let mut ty = types[handle].clone();
    if let TypeInner::Struct { members, .. } = &mut ty.inner {
        members[index].binding = Some(Binding::BuiltIn(BuiltIn::PointSize));
    }
    types.replace(handle, ty);
    Ok(())
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;

    #[test]
    fn the_vertex_shader_gives_the_size_and_both_shaders_are_valid() {
        for discs in [false, true] {
            let vertex = vertex(discs).expect("a valid source");
            let is_size = |member: &naga::StructMember| member.binding == Some(Binding::BuiltIn(BuiltIn::PointSize));
            let sizes =
                vertex.types.iter().filter(|(_, ty)| matches!(&ty.inner, TypeInner::Struct { members, .. } if members.iter().any(is_size)));
            assert_eq!(sizes.count(), 1);
            for module in [vertex, compose(discs, &[]).expect("a valid source")] {
                Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module).expect("a valid module");
            }
        }
    }

    #[test]
    fn a_shader_without_a_size_is_refused() {
        let mut module = compose(true, &[]).expect("a valid source");
        assert!(matches!(name_size(&mut module.types), Err(Fault::NoSize)));
    }
}
