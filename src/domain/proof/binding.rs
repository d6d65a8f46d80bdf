//! Where targets are served, as the objects say it: what no proxy has to be asked for.

use super::{
    Expectation, Gateway, Target,
    merged::{self, MergedRoute, ServedRoute},
};
use crate::domain::{
    object::{Kind, ObjectRef},
    snapshot::Pod,
    virtual_service::MESH,
};

impl Expectation {
    /// Returns the Gateways whose pods run a target.
    pub fn target_gateways(&self) -> impl Iterator<Item = &Gateway> {
        let binds = |gateway: &&Gateway| self.targets.iter().any(|each| self.binds(each, gateway));
        self.gateways.iter().filter(binds)
    }

    /// Returns whether a gateway pod is to run a target.
    #[must_use]
    pub fn is_meant_for(&self, target: &Target, pod: &Pod) -> bool {
        let is_it = |served: &ServedRoute<'_>| self.routes[served.source].is(target);
        let places = self.places(pod);
        let mut served = places.map(|(_, place)| merged::served(&self.routes, &place)).peekable();
        let mut own = self.gateways.iter().filter(|gateway| gateway.is_run_by(pod));
        own.any(|gateway| self.binds(target, gateway))
            // Where no server has its hosts, the proof says that it is missing.
            && (served.peek().is_none() || served.any(|served| served.iter().any(is_it)))
    }

    fn binds(&self, target: &Target, gateway: &Gateway) -> bool {
        let mut bound = self.routes.iter().filter(|route| route.is_bound_to(&gateway.object));
        bound.any(|route| route.is(target))
    }

    /// Returns whether a target runs in the sidecars of its callers.
    #[must_use]
    pub fn runs_in_sidecars(&self) -> bool {
        let mesh = ObjectRef::new(Kind::Gateway, "", MESH);
        let mut targets = self.routes.iter().filter(|route| self.is_target(route));
        self.root.is_for_mesh() && targets.any(|route| route.is_bound_to(&mesh))
    }

    /// Leaves out the targets that run in sidecars alone, and the Gateways where none is left.
    pub fn leave_out_sidecars(&mut self) {
        if !self.root.is_for_mesh() {
            return;
        }
        let Self { root, routes, targets, gateways } = self;
        targets.retain(|target| {
            let mut here = routes.iter().filter(|each| each.is(target));
            let servers: Vec<_> =
                gateways.iter().flat_map(|gateway| gateway.servers_of(root)).collect();
            here.any(|route| servers.iter().any(|server| route.is_for(Some(*server))))
        });
        if targets.is_empty() {
            gateways.clear();
        }
    }

    /// Returns why a target gets no requests at any server, whatever its weights are: a route of the
    /// same VirtualService before it takes them all. What cannot be told is none.
    #[must_use]
    pub fn unserved_target(&self) -> Option<String> {
        let mut servers: Vec<_> =
            self.gateways.iter().flat_map(|each| each.servers_of(&self.root)).map(Some).collect();
        if self.root.is_for_mesh() || self.gateways.len() < self.root.gateways().len() {
            // There are others, of which nothing is known.
            servers.push(None);
        }
        self.targets.iter().find_map(|target @ (object, id)| {
            let mut blocker = None;
            for (index, route) in self.routes.iter().enumerate().filter(|(_, each)| each.is(target))
            {
                for server in servers.iter().copied().filter(|server| route.is_for(*server)) {
                    let mut before = self.routes[..index].iter();
                    blocker = Some(before.find(|each| each.takes_all_of(route, server))?);
                }
            }
            let MergedRoute { object: at, route, .. } = blocker?;
            let of = if at == object { String::new() } else { format!(" of {at}") };
            let before = route.id;
            Some(format!(
                "route {id} gets no requests: route {before}{of} before it takes them all"
            ))
        })
    }
}
